/* What runs in the browser alone. Callbacks that name these functions stand in dashboard/callbacks/browser.py. */

(function () {
  "use strict";

  function go(address) {
    window.history.pushState({}, "", address);
    window.dispatchEvent(new CustomEvent("_dashprivate_pushstate"));
    window.scrollTo(0, 0);
  }

  /* A link within the page is followed without loading it anew, unless it is to open elsewhere. */
  function follow(event) {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    go(event.currentTarget.getAttribute("href"));
  }

  /* Whether an address is for whoever is signed in; the server refuses it in any case. */
  function opens(address) {
    var frame = document.getElementById("frame"), path = String(address).split(/[?#]/)[0];
    return !(frame && frame.dataset.closed || "").split(" ").some(function (closed) {
      return closed && (path === closed || (closed.slice(-1) === "/" && path.indexOf(closed) === 0));
    });
  }

  /* All parts of a page are of one snapshot: where one is of a newer one than those before, all are asked for again. */
  var moment = 0;
  function seen(told) {
    var version = Number((/^snapshot (\d+)/.exec(told || "") || [])[1] || 0);
    if (version <= moment) return;
    if (moment) clientside.set_props("stayed", { data: ++changes });
    moment = version;
  }

  window.spectrum = { go: go, follow: follow, opens: opens, seen: seen };

  /* A 3D plot tells of a click as the button goes down, which may also be the start of a turn: wait for it to come up. */
  var pressed = null, moved = false;
  addEventListener("pointerdown", function (event) { pressed = event; moved = false; }, true);
  addEventListener("pointermove", function (event) {
    if (pressed && Math.hypot(event.clientX - pressed.clientX, event.clientY - pressed.clientY) > 4) moved = true;
  }, true);
  addEventListener("pointerup", function () { pressed = null; }, true);

  function whenClicked(act) {
    if (pressed) addEventListener("pointerup", function () { if (!moved) act(); }, { once: true });
    else if (!moved) act();
  }

  /* A mark may carry its address, "#" and a customer's id, or what is to be changed of the page's own query. */
  function addressOf(mark) {
    if (typeof mark !== "string") return null;
    if (mark[0] === "#") return "/customers/" + encodeURIComponent(mark.slice(1)) + window.location.search;
    var parts = mark.split("?+"), query = new URLSearchParams(window.location.search);
    if (parts.length < 2) return mark;
    new URLSearchParams(parts[1]).forEach(function (value, name) {
      if (value) query.set(name, value); else query.delete(name);
    });
    return parts[0] + (String(query) && "?" + query);
  }

  /* On a phone the filters start folded, so that the numbers come first. */
  function foldFilters() {
    document.querySelectorAll(".fold:not([data-folded])").forEach(function (fold) {
      fold.setAttribute("data-folded", "");
      if (window.innerWidth <= 640) fold.setAttribute("aria-expanded", "false");
    });
  }

  /* A details element would do, but Chromium's Tab does not leave one that ends in a Dash dropdown. */
  addEventListener("click", function (event) {
    var fold = event.target.closest && event.target.closest(".fold, .more");
    if (fold) fold.setAttribute("aria-expanded", String(fold.getAttribute("aria-expanded") === "false"));
  });

  /* Escape leaves the panel of more filters, unless it closes a list that is open within it. */
  addEventListener("keydown", function (event) {
    var more = document.querySelector(".more[aria-expanded=true]");
    if (event.key !== "Escape" || !more || document.querySelector(".dash-dropdown-content")) return;
    if (!event.target.closest || !event.target.closest(".more, .more-filters")) return;
    more.setAttribute("aria-expanded", "false");
    more.focus();
  }, true);

  function setTheme(theme) {
    document.documentElement.setAttribute("data-bs-theme", theme);
    document.cookie = "theme=" + theme + "; path=/; SameSite=Lax";
    return theme;
  }

  var clientside = (window.dash_clientside = window.dash_clientside || {});

  var shownAt, changes = 0;

  clientside.spectrum = {
    toggleTheme: function (clicks) {
      if (!clicks) return clientside.no_update;
      var now = document.documentElement.getAttribute("data-bs-theme") === "dark" ? "light" : "dark";
      try { localStorage.setItem("theme", now); } catch (e) { /* a private window may refuse */ }
      return setTheme(now);
    },

    keepFilters: function (search, pathname, ids) {
      var here = pathname || "/";
      var filters = new URLSearchParams(search || "");
      filters.delete("load");
      filters.delete("upload");
      search = String(filters) && "?" + filters;
      setTimeout(function () {
        var active = document.querySelector("#nav a.active");
        if (active) active.parentNode.scrollLeft = active.offsetLeft - active.parentNode.offsetLeft - 16;
      }, 100);
      return [
        ids.map(function (id) { return id.path + (search || ""); }),
        ids.map(function (id) {
          return (id.path === "/" ? here === "/" : here.indexOf(id.path) === 0) ? "active" : "";
        })
      ];
    },

    /* Counts how often the filters of a page changed while it stayed: one that is left is asked for nothing more. */
    stay: function (search, pathname) {
      var stays = pathname === shownAt;
      if (!stays) moment = 0;
      shownAt = pathname;
      return stays ? ++changes : clientside.no_update;
    },

    /* A hand-made address is written anew in its one canonical form; going back still leads to what was before it. */
    setAddress: function (made) {
      var here = window.location;
      if (made && here.pathname === (made.pathname || "/") && here.search === (made.search || "")) {
        window.history.replaceState(window.history.state, "", here.pathname + made.canonical + here.hash);
      }
      return clientside.no_update;
    },

    followMark: function () {
      var event = clientside.callback_context.triggered[0];
      var mark = event && event.value && event.value.points && event.value.points[0];
      var address = mark && mark.customdata &&
        addressOf(Array.isArray(mark.customdata) ? mark.customdata[0] : mark.customdata);
      if (typeof address === "string" && /^\/(?!\/)/.test(address) && opens(address)) whenClicked(function () { go(address); });
      return clientside.no_update;
    },

    followChoice: function () {
      var event = clientside.callback_context.triggered[0];
      var address = event && event.value;
      if (typeof address === "string" && /^\/(?!\/)/.test(address)) {
        var place = window.scrollY;
        go(address);
        window.scrollTo(0, place);
      }
      return clientside.no_update;
    },

    keepCamera: function (change) {
      return (change && change["scene.camera"]) || clientside.no_update;
    },

    openPicked: function (picked, box, search) {
      if (!picked) return clientside.no_update;
      var page = { "pick-customer": "customers", "pick-product": "products" }[box];
      go("/recommendations/" + page + "/" + encodeURIComponent(picked) + (search || ""));
      return null;
    },

    /* What the controls of the rules say becomes the address. */
    followRules: function (values, ids, search) {
      var asked = new URLSearchParams(search || ""), ends = {};
      ids.forEach(function (id, at) {
        var value = values[at] == null ? "" : values[at];
        if (id.name === "low" || id.name === "high") { ends[id.name] = value; return; }
        asked.delete(id.name);
        [].concat(value).forEach(function (one) { if (one !== "") asked.append(id.name, one); });
      });
      if ("low" in ends) {
        asked.delete("price");
        if (ends.low !== "" || ends.high !== "") asked.set("price", ends.low + ".." + ends.high);
      }
      var before = new URLSearchParams(search || ""), after = new URLSearchParams(asked);
      before.sort();
      after.sort();
      if (String(before) !== String(after)) {
        var place = window.scrollY;
        go(window.location.pathname + (String(asked) && "?" + asked));
        window.scrollTo(0, place);
      }
      return clientside.no_update;
    },

    /* And the other way round: the address may change by a link, or by going back. */
    showRules: function (search, ids) {
      var asked = new URLSearchParams(search || ""), price = (asked.get("price") || "..").split("..");
      var told = { low: price[0], high: price[1] };
      return ids.map(function (id) {
        if (id.name === "without") return asked.getAll("without");
        var value = id.name in told ? told[id.name] : asked.get(id.name);
        return value ? Number(value) : null;
      });
    },

    goOn: function (next) {
      if (next && next.go) go(next.go);
      return clientside.no_update;
    },

    titlePage: function () {
      setTimeout(function () {
        foldFilters();
        var heading = document.querySelector("#page h1");
        document.title = (heading ? heading.textContent + " · " : "") + "Shopper Spectrum";
      }, 0);
      return clientside.no_update;
    },

    refreshGrid: function (search, grid) {
      window.dash_ag_grid.getApiAsync(grid).then(function (api) { api.purgeInfiniteCache(); });
      return clientside.no_update;
    },

    copyLink: function (clicks, label) {
      if (!clicks) return clientside.no_update;
      var button = document.getElementById("copy-link");
      var say = function (text) {
        button.setAttribute("data-said", text);
        setTimeout(function () { button.removeAttribute("data-said"); }, 2000);
      };
      if (navigator.clipboard) {
        navigator.clipboard.writeText(location.href).then(function () { say("Copied"); }, function () { say("Copy it from the address bar"); });
      } else {
        say("Copy it from the address bar");
      }
      return clientside.no_update;
    }
  };

  /* A file that is dropped or chosen on the Data page is sent as it is, with a progress to see. */
  function send(file) {
    var said = document.getElementById("upload-progress");
    var request = new XMLHttpRequest();
    request.open("POST", "/upload");
    request.setRequestHeader("X-CSRFToken", (/(?:^|; )_csrf_token=([^;]*)/.exec(document.cookie) || [])[1] || "");
    request.setRequestHeader("X-File-Name", encodeURIComponent(file.name));
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.upload.onprogress = function (event) {
      var share = event.total ? Math.round(event.loaded / event.total * 100) : 0;
      said.textContent = share < 100 ? "Sending " + file.name + ": " + share + "%" : "Looking at " + file.name;
    };
    request.onload = function () {
      var answer = {};
      try { answer = JSON.parse(request.responseText); } catch (e) { /* said below */ }
      if (answer.upload) go("/data?upload=" + answer.upload);
      else said.textContent = answer.error || "The server did not take the file; try again.";
    };
    request.onerror = function () { said.textContent = "The file did not arrive; try again."; };
    said.textContent = "Sending " + file.name;
    request.send(file);
  }

  addEventListener("click", function (event) {
    if (!event.target.closest || !event.target.closest("#choose-file")) return;
    var input = document.createElement("input");
    input.type = "file";
    input.onchange = function () { if (input.files.length) send(input.files[0]); };
    input.click();
  });
  ["dragover", "dragleave", "drop"].forEach(function (kind) {
    addEventListener(kind, function (event) {
      var zone = document.getElementById("drop-zone");
      if (!zone) return;
      event.preventDefault();
      zone.classList.toggle("over", kind === "dragover");
      if (kind === "drop" && event.dataTransfer.files.length) send(event.dataTransfer.files[0]);
    });
  });

  /* The system's theme may change while the page is open; a theme chosen by hand stays. */
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", function (event) {
    var chosen = null;
    try { chosen = localStorage.getItem("theme"); } catch (e) { /* as above */ }
    if (!chosen) {
      setTheme(event.matches ? "dark" : "light");
      clientside.set_props("theme", { data: event.matches ? "dark" : "light" });
    }
  });

  /* Numbers of the grids, with the marks of the shop's locale. */
  (window.dashAgGridFunctions = window.dashAgGridFunctions || {}).written = function (number) {
    var marks = document.documentElement.dataset.separators;
    return number.replace(/[.,]/g, function (mark) { return mark === "." ? marks[0] : marks.slice(1); });
  };

  /* Cells of the grids. */
  var cells = (window.dashAgGridComponentFunctions = window.dashAgGridComponentFunctions || {});

  cells.Linked = function (props) {
    if (!props.data) return "";
    var address = props.data[props.link];
    return window.React.createElement("a", {
      href: address,
      onClick: follow
    }, props.value, props.small && props.data[props.small] !== props.value
      ? window.React.createElement("span", { className: "sku" }, props.data[props.small]) : null);
  };

  cells.SegmentChip = function (props) {
    if (!props.data) return "";
    if (!props.value) return "–";
    var colour = "var(--segment-" + String(props.data[props.colour] || "other").replace("_", "-") + ")";
    return window.React.createElement("span", { className: "segment-chip" },
      window.React.createElement("span", { className: "dot", style: { background: colour } }), props.value);
  };
})();
