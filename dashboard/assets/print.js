/* Paper: plots are drawn to the width of the page, and whoever prints by command is told when all is there. */

(function () {
  "use strict";

  /* Of a card on A4 between the margins of print.css, and of one of two side by side: pixels of CSS, zoomed as there. */
  var WIDTH = 826, HALF = 393;

  function plots() {
    return Array.prototype.slice.call(document.querySelectorAll(".plot .js-plotly-plot"));
  }

  addEventListener("beforeprint", function () {
    plots().forEach(function (plot) {
      var width = plot.closest(".pairs > .slot:nth-child(n+3)") ? HALF : WIDTH;
      if (!window.Plotly || !plot._fullLayout || plot._fullLayout.width === width) return;
      plot.setAttribute("data-printed", "");
      window.Plotly.relayout(plot, { width: width });
    });
  });

  addEventListener("afterprint", function () {
    plots().forEach(function (plot) {
      if (!plot.hasAttribute("data-printed")) return;
      plot.removeAttribute("data-printed");
      window.Plotly.relayout(plot, { width: null, autosize: true });
    });
  });

  function words(found) {
    return found.textContent.trim().replace(/\s+/g, " ");
  }

  /* How far the page is: waiting, failed, nothing (where its first answer is an empty one) or ready. dashboard/report.py
     asks it. */
  window.spectrumReport = function () {
    var main = document.getElementById("page");
    var failed = document.querySelector("main .failed, .unanswered");
    if (failed) return { state: "failed", words: words(failed) };
    var answers = main ? main.querySelectorAll(".slot") : [];
    if (main && !answers.length && main.querySelector(".empty")) return { state: "nothing", words: words(main.querySelector(".empty")) };
    if (!answers.length || document.querySelector(".slot .skeleton, [data-dash-is-loading=true], .dash-graph--pending")) return { state: "waiting" };
    var empty = answers[0].querySelector(".empty");
    if (empty) return { state: "nothing", words: words(empty) };
    var drawn = Array.prototype.every.call(main.querySelectorAll(".plot"), function (plot) {
      var graph = plot.querySelector(".js-plotly-plot");
      return graph && graph._fullLayout && graph.querySelector(".main-svg");
    });
    return { state: drawn && document.fonts.status === "loaded" ? "ready" : "waiting" };
  };
})();
