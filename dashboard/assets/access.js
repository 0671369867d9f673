/* What components of others lack for the keyboard and for screen readers. */

(function () {
  "use strict";

  var names = 0;

  function named(element) {
    if (!element.id) element.id = "named-" + ++names;
    return element.id;
  }

  /* What a dropdown is called: its label, or the head of its row. */
  function nameOf(dropdown) {
    var place = dropdown.closest(".dash-dropdown-wrapper").parentNode, row = dropdown.closest("tr");
    return place.querySelector("label, .label") || (row && row.querySelector("th[scope=row]"));
  }

  /* A dropdown takes Tab by a hidden field that screen readers cannot tell of, and knows nothing of the label above it:
     its button takes Tab instead, and says label and value. */
  function mendDropdown(target) {
    var button = target.nextElementSibling, name = nameOf(target);
    target.hidden = true;
    button.tabIndex = 0;
    if (name) button.setAttribute("aria-labelledby", named(name) + " " + button.getAttribute("aria-labelledby"));
  }

  /* Its list opens far from it, as a dialog without a name. */
  function mendList(content) {
    var button = document.querySelector(".dash-dropdown[aria-controls='" + content.id + "']");
    var name = button && nameOf(button), said = name ? name.textContent : "Choices";
    content.setAttribute("aria-label", said);
    content.querySelectorAll("[role=listbox]").forEach(function (list) { list.setAttribute("aria-label", said); });
    content.querySelectorAll("[type=search]").forEach(function (box) { box.setAttribute("aria-label", "Search: " + said); });
  }

  /* Nor has a list of boxes to tick that stands in a menu of the page. */
  function mendChecklist(list) {
    var menu = list.closest("details");
    list.setAttribute("aria-label", menu ? menu.querySelector("summary").textContent : "Choices");
  }

  /* The help of the page. */
  function openHelp(open) {
    var button = document.getElementById("toggle-help"), panel = document.getElementById("page-help");
    if (!button) return;
    button.setAttribute("aria-expanded", String(Boolean(panel) && open));
    if (!panel || panel.hidden === !open) return;
    var within = panel.contains(document.activeElement);
    panel.hidden = !open;
    if (open) { panel.focus(); panel.scrollIntoView({ block: "nearest" }); }
    else if (within) button.focus();
  }

  addEventListener("click", function (event) {
    if (!event.target.closest) return;
    var panel = document.getElementById("page-help");
    if (event.target.closest("#toggle-help")) openHelp(!panel || panel.hidden);
    document.querySelectorAll("details.definition[open], details.chooser[open]").forEach(function (menu) {
      if (!menu.contains(event.target)) menu.open = false;
    });
  });
  /* The arrows of a grid go from cell to cell; Enter follows the link in one. */
  addEventListener("keydown", function (event) {
    var cell = event.target.classList && event.target.classList.contains("ag-cell") && event.target;
    var link = cell && event.key === "Enter" && cell.querySelector("a");
    if (link) link.click();
  });
  addEventListener("keydown", function (event) {
    if (event.key !== "Escape" || document.querySelector(".dash-dropdown-content")) return;
    document.querySelectorAll("details.definition[open], details.chooser[open]").forEach(function (menu) {
      if (menu.contains(document.activeElement)) menu.querySelector("summary").focus();
      menu.open = false;
    });
    openHelp(false);
  });

  /* What scrolls within itself, and has nothing to focus in it, is reached by Tab and scrolled by the arrows. */
  function reachScrolled() {
    document.querySelectorAll(".wide-plot, .spreads, .products, .segment-cards, .scroll, .guide table, .guide pre").forEach(function (part) {
      var scrolls = part.scrollWidth > part.clientWidth + 1 || part.scrollHeight > part.clientHeight + 1;
      if (scrolls) part.tabIndex = 0;
      else part.removeAttribute("tabindex");
    });
  }

  var waiting = false;

  function mend() {
    waiting = false;
    reachScrolled();
    var panel = document.getElementById("page-help");
    if (!panel || panel.hidden) openHelp(false);
    document.querySelectorAll(".dash-dropdown-focus-target:not([hidden])").forEach(mendDropdown);
    document.querySelectorAll(".dash-dropdown-content").forEach(mendList);
    document.querySelectorAll(".dash-checklist[role=listbox]:not([aria-label])").forEach(mendChecklist);
  }

  function soon() {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(mend);
  }

  addEventListener("resize", soon);
  new MutationObserver(soon).observe(document.documentElement, { childList: true, subtree: true });
})();
