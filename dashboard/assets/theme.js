/* Runs before anything is painted: light or dark, as it was chosen here or as the system has it. */

(function () {
  "use strict";

  delete Object.prototype.__proto__; // a product may be called so: as a key it is one like any other

  var chosen = null;
  try { chosen = localStorage.getItem("theme"); } catch (e) { /* a private window may refuse */ }
  var theme = chosen || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
  document.documentElement.setAttribute("data-bs-theme", theme);
  document.cookie = "theme=" + theme + "; path=/; SameSite=Lax";
})();
