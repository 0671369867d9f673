/* The grid of customers and downloads, in the browser. Callbacks that name these functions stand in
   dashboard/callbacks/browser.py. */

(function () {
  "use strict";

  var clientside = (window.dash_clientside = window.dash_clientside || {});
  var GRID = "customer-grid", KEPT = "customer-grid-columns-kept";
  var context = { columns: null, search: "" };
  var wanted = { columns: "seen", offers: true };

  function whenGrid(act) {
    window.dash_ag_grid.getApiAsync(GRID).then(act);
  }

  function seen(api) {
    return api.getAllDisplayedColumns().map(function (column) { return column.getColId(); });
  }

  /* What the server must know beside the rows: it reads the columns that are seen alone. */
  function tell(api, change) {
    context = Object.assign({}, context, change);
    api.setGridOption("context", context);
  }

  /* Widths and order are kept by this browser; which columns are seen is kept by the list of columns. */
  function keep(api) {
    var state = api.getColumnState().map(function (c) { return { colId: c.colId, width: c.width, flex: c.flex }; });
    try { localStorage.setItem(KEPT, JSON.stringify(state)); } catch (e) { /* a private window may refuse */ }
  }

  function restore(api) {
    var state = null;
    try { state = JSON.parse(localStorage.getItem(KEPT)); } catch (e) { /* as above, or not ours */ }
    if (Array.isArray(state)) api.applyColumnState({ state: state, applyOrder: true });
  }

  function begin(api) {
    if (api.spectrumBegan) return;
    api.spectrumBegan = true;
    context = { columns: null, search: "" };
    restore(api);
    var byHand = function (event) { if (/^ui/.test(event.source) && event.finished !== false) keep(api); };
    api.addEventListener("columnResized", byHand);
    api.addEventListener("columnMoved", byHand);
    api.addEventListener("cellKeyDown", function (event) {
      if (event.event.key !== "Enter" || !event.data || !event.data.href) return;
      event.event.preventDefault();
      window.spectrum.go(event.data.href);
    });
    api.addEventListener("modelUpdated", function () {
      if (api.getDisplayedRowCount() === 0) api.showNoRowsOverlay(); else api.hideOverlay();
    });
  }

  function show(api, chosen) {
    var all = api.getColumns().filter(function (column) { return !column.isPinned(); });
    var isChosen = function (column) { return chosen.indexOf(column.getColId()) >= 0; };
    var fresh = all.some(function (column) { return isChosen(column) && !column.isVisible(); });
    api.setColumnsVisible(all.filter(function (column) { return !isChosen(column); }), false);
    api.setColumnsVisible(all.filter(isChosen), true);
    tell(api, { columns: seen(api) });
    if (fresh) api.purgeInfiniteCache();
  }

  clientside.lists = {
    showColumns: function (chosen) {
      if (!Array.isArray(chosen)) return clientside.no_update;
      whenGrid(function (api) { begin(api); show(api, chosen); });
      return clientside.no_update;
    },

    search: function (text) {
      whenGrid(function (api) { tell(api, { search: text || "" }); api.purgeInfiniteCache(); });
      return clientside.no_update;
    },

    want: function (columns, offers) {
      wanted = { columns: columns, offers: (offers || []).length > 0 };
      return clientside.no_update;
    }
  };

  addEventListener("click", function (event) {
    if (!event.target.closest || !event.target.closest("#reset-columns")) return;
    try { localStorage.removeItem(KEPT); } catch (e) { /* as above */ }
    whenGrid(function (api) {
      var chosen = seen(api);
      api.resetColumnState();
      show(api, chosen);
    });
  });

  /* One of these open at a time; a click elsewhere and Escape close it. */
  addEventListener("click", function (event) {
    document.querySelectorAll("details.chooser[open]").forEach(function (open) {
      if (!open.contains(event.target)) open.removeAttribute("open");
    });
  });
  addEventListener("keydown", function (event) {
    var open = event.key === "Escape" && document.querySelector("details.chooser[open]");
    if (!open) return;
    open.removeAttribute("open");
    open.querySelector("summary").focus();
  });

  /* Downloads: asked for first, so that what cannot be is said here, then followed to their end. */
  var LIST = /^\/download\/(customers|recommendations|audience|bundles)\.(csv|xlsx)/;

  addEventListener("click", function (event) {
    if (!event.target.closest || event.ctrlKey || event.metaKey || event.shiftKey) return;
    var excel = event.target.closest("#download-xlsx");
    var link = excel ? document.getElementById("customer-download") : event.target.closest("a[href]");
    if (!link || !LIST.test(link.getAttribute("href"))) return;
    event.preventDefault();
    var address = new URL(link.href);
    if (excel) address.pathname = address.pathname.replace(/\.csv$/, ".xlsx");
    if (link.id !== "customer-download") return fetchList(address);
    whenGrid(function (api) {
      var offers = wanted.offers ? ["new_offers", "buy_again_offers"] : [];
      var columns = wanted.columns === "all" ? api.getColumns().map(function (c) { return c.getColId(); }) : seen(api);
      address.searchParams.set("columns", columns.concat(offers).join(","));
      fetchList(address);
    });
  });

  function fetchList(address) {
    var told = notice();
    told.say("The list is being counted.");
    ask(address.href + (address.search ? "&" : "?") + "ask=1").then(function (answer) {
      if (answer.error) return told.fail(answer.error);
      address.searchParams.set("list", answer.list);
      var link = document.createElement("a");
      link.href = address.href;
      link.download = "";
      document.body.appendChild(link);
      link.click();
      link.remove();
      told.say(answer.file + " begins: " + counted(answer.rows) + leftOut(answer) + ".");
      follow(told, answer, address, 250);
    }).catch(function () { told.fail("The dashboard does not answer; try again."); });
  }

  function ask(address) {
    return fetch(address, { cache: "no-store" }).then(function (reply) { return reply.json(); });
  }

  function counted(rows) {
    return rows.toLocaleString("en") + (rows === 1 ? " row" : " rows");
  }

  function leftOut(answer) {
    if (!answer.left_out) return "";
    var who = answer.left_out === 1 ? " customer is" : " customers are";
    return "; " + answer.left_out.toLocaleString("en") + who + " left out for want of consent";
  }

  function follow(told, answer, address, pause) {
    setTimeout(function () {
      ask("/download/progress/" + answer.list).then(function (now) {
        var of = (now.delivered || 0).toLocaleString("en") + " of " + counted(answer.rows);
        if (now.state === "complete") return told.end(answer, now);
        if (now.state === "broken") return told.fail("The download broke off: " + of + "; do not use it.", address);
        if (now.error) return told.fail("It is not known what became of the download; do not use it.", address);
        if (now.state === "running") told.say(answer.file + ": " + of + ".");
        follow(told, answer, address, Math.min(pause * 1.5, 2000));
      }).catch(function () { told.fail("It is not known what became of the download; do not use it.", address); });
    }, pause);
  }

  function notice() {
    var box = document.getElementById("list-told");
    if (box) box.remove();
    box = document.createElement("div");
    box.id = "list-told";
    box.className = "list-told";
    var words = document.createElement("p");
    words.setAttribute("role", "status");
    box.appendChild(words);
    document.body.appendChild(box);

    function button(text, act) {
      var made = document.createElement("button");
      made.type = "button";
      made.className = "button";
      made.textContent = text;
      made.onclick = act;
      box.appendChild(made);
    }

    function close() { button("Close", function () { box.remove(); }); }

    return {
      say: function (text) { if (words.textContent !== text) words.textContent = text; },
      fail: function (text, address) {
        words.textContent = text;
        box.classList.add("broken");
        if (address) button("Try again", function () { address.searchParams.delete("list"); fetchList(address); });
        close();
      },
      end: function (answer, now) {
        words.textContent = answer.file + " is complete: " + counted(now.rows) + leftOut(answer) + ". SHA-256 ";
        var sum = document.createElement("code");
        sum.textContent = now.sha256;
        words.appendChild(sum);
        var manifest = document.createElement("a");
        manifest.href = "/download/manifest/" + answer.list;
        manifest.download = "";
        manifest.className = "button";
        manifest.textContent = "Manifest";
        box.appendChild(manifest);
        close();
      }
    };
  }
})();
