/* Draws what dashboard/components/plain.py describes: texts, and [name, attributes, ...elements]. */

(function () {
  "use strict";

  function drawn(element) {
    if (!Array.isArray(element)) return element;
    var name = element[0], attributes = element[1];
    if ("href" in attributes && !window.spectrum.opens(attributes.href)) {
      if (/\bbutton\b/.test(attributes.className)) return null;
      return window.React.createElement.apply(null, ["span", null].concat(element.slice(2).map(drawn)));
    }
    if (name === "link") {
      name = "a";
      attributes = Object.assign({ onClick: window.spectrum.follow }, attributes);
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
