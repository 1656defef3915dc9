// What every page of the console does in a browser. Each page works without it.

import "./keys.js";
import "./times.js";
