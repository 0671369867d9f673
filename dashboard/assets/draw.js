/* Plots are drawn where one looks first; those outside the window when the page has nothing else to do. */

(function () {
  "use strict";

  var NEAR = 300, waiting = new Map(), plotly, react;

  function isNear(plot) {
    var at = plot.getBoundingClientRect();
    return at.top < window.innerHeight + NEAR && at.bottom > -NEAR;
  }

  function draw(plot) {
    var of = waiting.get(plot);
    waiting.delete(plot);
    seen.unobserve(plot);
    var drawn = plot.isConnected ? react.apply(plotly, of.asked) : plot;
    of.told.forEach(function (tell) { tell(drawn); });
  }

  var seen = new IntersectionObserver(function (found) {
    found.forEach(function (of) { if (of.isIntersecting && waiting.has(of.target)) draw(of.target); });
  }, { rootMargin: NEAR + "px" });

  /* One at a time, and none while an answer is still awaited: drawing would hold it up. */
  function drawNext() {
    if (!waiting.size) return;
    if (document.querySelector("[data-dash-is-loading=true]")) setTimeout(drawNext, 50);
    else requestIdleCallback(function () {
      if (waiting.size) draw(waiting.keys().next().value);
      drawNext();
    }, { timeout: 500 });
  }

  /* In place of Plotly's own, of which the last one asked for is drawn. */
  function drawInTime(plot) {
    var of = waiting.get(plot), asked = arguments;
    if (!of && isNear(plot)) return react.apply(plotly, asked);
    if (!of) {
      if (!waiting.size) setTimeout(drawNext, 50);
      waiting.set(plot, of = { told: [] });
      seen.observe(plot);
    }
    of.asked = asked;
    return new Promise(function (tell) { of.told.push(tell); });
  }

  Object.defineProperty(window, "Plotly", {
    configurable: true,
    get: function () { return plotly; },
    set: function (loaded) {
      plotly = loaded;
      react = plotly.react;
      plotly.react = drawInTime;
    }
  });

  addEventListener("beforeprint", function () { Array.from(waiting.keys()).forEach(draw); });
})();
