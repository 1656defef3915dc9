// Moments are written by the server in UTC; here they are shown as the reader's clock has them.

const language = document.documentElement.lang;
const moment = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" });
const full = new Intl.DateTimeFormat(language, { dateStyle: "full", timeStyle: "long" });

export function showTimes(root) {
  for (const time of root.querySelectorAll("time[datetime]:not([data-local])")) {
    const date = new Date(time.dateTime);
    if (Number.isNaN(date.getTime())) continue;
    time.dataset.local = "";
    time.title = full.format(date);
    time.textContent = moment.format(date);
  }
}

showTimes(document);
document.addEventListener("htmx:afterSettle", (event) => showTimes(event.target.parentElement ?? document));
