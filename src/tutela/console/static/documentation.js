// Shows the OpenAPI description that the page names.
const operations = document.getElementById("operations");

const dark = window.matchMedia("(prefers-color-scheme: dark)");
const follow = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", follow);
follow();

SwaggerUIBundle({
  url: operations.dataset.description,
  domNode: operations,
  presets: [SwaggerUIBundle.presets.apis],
  deepLinking: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  tryItOutEnabled: true,
  // A key stays in this page's memory only.
  persistAuthorization: false,
  // Otherwise the description would be sent to a server of Swagger's.
  validatorUrl: null,
});
