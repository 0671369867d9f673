/* Draws what dashboard/components/plain.py describes: texts, and [name, attributes, ...elements]. */

(function () {
  "use strict";

  /* A link within the page is followed without loading it anew, unless it is to open elsewhere. */
  function follow(event) {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    window.spectrum.go(event.currentTarget.getAttribute("href"));
  }

  function drawn(element) {
    if (!Array.isArray(element)) return element;
    var name = element[0], attributes = element[1];
    if (name === "link") {
      name = "a";
      attributes = Object.assign({ onClick: follow }, attributes);
    }
    if ("href" in attributes && !/^(\/(?!\/)|\?|#|https?:)/.test(attributes.href)) {
      attributes = Object.assign({}, attributes, { href: undefined });
    }
    return window.React.createElement.apply(null, [name, attributes].concat(element.slice(2).map(drawn)));
  }

  window.spectrum_plain = {
    Plain: function (props) {
      return window.React.createElement.apply(null, [window.React.Fragment, null].concat(props.tree.map(drawn)));
    }
  };
})();
