/* What was asked and not answered: a toast says so, with the reference that the server's log has, and asks it again. */

(function () {
  "use strict";

  var ask = window.fetch, unanswered = [], toast = null;

  /* There from the start, so that screen readers watch it. */
  function place() {
    toast = document.createElement("div");
    toast.className = "toasts";
    toast.setAttribute("role", "alert");
    document.body.appendChild(toast);
  }

  function button(words, act) {
    var made = document.createElement("button");
    made.type = "button";
    made.className = "button";
    made.textContent = words;
    made.onclick = act;
    return made;
  }

  function show() {
    if (!toast) place();
    toast.textContent = "";
    if (!unanswered.length) return;
    var last = unanswered[unanswered.length - 1];
    var box = document.createElement("div");
    box.className = "toast-box";
    var words = document.createElement("p");
    words.textContent = last.words + " ";
    if (last.reference) {
      var code = document.createElement("code");
      code.textContent = last.reference;
      words.append("The log has the cause under ", code, ".");
    }
    box.append(words, button("Try again", function () { again(unanswered.slice()); }), button("Close", forget));
    toast.appendChild(box);
  }

  function forget() {
    unanswered = [];
    show();
  }

  /* Ask for these parts alone and put the answers where they belong; what fails again is told again. */
  function again(requests) {
    var fired = {};
    unanswered = unanswered.filter(function (request) { return requests.indexOf(request) < 0; });
    show();
    requests.forEach(function (request) {
      if (!request.body) window.location.reload();
      else if (/"type":"(slot|shell-slot|picture)"/.test(request.output)) refill(request);
      else fire(request.body, fired);
    });
  }

  function refill(request) {
    window.fetch(request.address, request.options).then(function (reply) {
      return reply.status === 200 ? reply.json() : {};
    }).then(function (answer) {
      Object.keys(answer.response || {}).forEach(function (id) {
        if (document.getElementById(id)) window.dash_clientside.set_props(JSON.parse(id), answer.response[id]);
      });
    }, function () { /* told by the fetch itself */ });
  }

  /* What makes a frame that others are filled in must wake these too: Dash does where an input says that it changed. */
  function fire(body, fired) {
    var inputs = [].concat.apply([], body.inputs), changed = (body.changedPropIds || [])[0];
    var input = inputs.filter(function (one) { return one.id + "." + one.property === changed; })[0] || inputs[0];
    var key = JSON.stringify([input.id, input.property]), props = {};
    if (fired[key]) return;
    fired[key] = true;
    props[input.property] = input.value;
    window.dash_clientside.set_props(input.id, props);
  }

  /* The request is kept as it was sent. */
  function tell(address, options, words, reference) {
    var body = null;
    try { body = JSON.parse(options.body); } catch (e) { /* the start of the page: only a reload helps */ }
    var output = body ? JSON.stringify(body.outputs) : address;
    var request = { output: output, body: body, address: address, options: options, words: words, reference: reference };
    unanswered = unanswered.filter(function (other) { return other.output !== output; }).concat(request);
    show();
  }

  window.fetch = function (address, options) {
    var answer = ask.apply(this, arguments), called = String((address && address.url) || address);
    if (called.indexOf("/_dash-") >= 0) {
      answer.then(function (reply) {
        var reference = reply.headers.get("X-Request-Id");
        if (window.spectrum) window.spectrum.seen(reply.headers.get("X-Spectrum-Seen"));
        if (reply.status === 401) location.assign("/sign-in?next=" + encodeURIComponent(location.pathname + location.search));
        else if (reply.headers.get("X-Spectrum-Failed")) tell(called, options, "A part of this page could not be shown.", reference);
        else if (reply.status >= 400) tell(called, options, "The dashboard could not answer; what you see may be of an earlier view.", reference);
      }, function (error) {
        if (!error || error.name !== "AbortError") tell(called, options, "The dashboard does not answer; what you see may be of an earlier view.");
      });
    }
    return answer;
  };

  /* The button in a part that failed asks for that part. */
  addEventListener("click", function (event) {
    var pressed = event.target.closest && event.target.closest("[data-again]");
    if (!pressed) return;
    var own = unanswered.filter(function (request) { return request.reference === pressed.getAttribute("data-again"); });
    if (own.length) again(own);
    else window.location.reload();
  });

  /* What an earlier page asked for matters no more; what stands around every page does. */
  ["_dashprivate_pushstate", "popstate"].forEach(function (kind) {
    addEventListener(kind, function () {
      unanswered = unanswered.filter(function (request) { return request.output.indexOf('"shell.') >= 0; });
      show();
    });
  });
})();
