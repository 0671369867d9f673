/* A card's chart as a picture and its table as CSV, made in the browser: nothing is sent anywhere. */

(function () {
  "use strict";

  var MARGIN = 24;

  function deliver(blob, name) {
    var link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = name;
    link.click();
    setTimeout(function () { URL.revokeObjectURL(link.href); }, 10000);
  }

  function text(element) { return element ? element.textContent.trim() : ""; }

  /* What the page is narrowed to, in words, as its chips say it. */
  function filters() {
    var chips = Array.prototype.slice.call(document.querySelectorAll(".filter-bar .chip"));
    return chips.filter(function (chip) { return chip.offsetParent; }).map(function (chip) {
      return text(chip).replace(/\s*[×✕]$/, "");
    });
  }

  function fileName(card, ending) {
    var parts = [text(card.querySelector("h2"))].concat(filters()).map(function (part) {
      return part.normalize("NFKD").replace(/[̀-ͯ]/g, "").replace(/[^\p{L}\p{N}.]+/gu, "-").replace(/^-+|-+$/g, "");
    });
    return parts.join("_").slice(0, 150) + "." + ending;
  }

  /* A text cell that a spreadsheet would take for a formula is marked as text; exact numbers are left alone. */
  function cell(element) {
    var exact = element.getAttribute("data-value");
    var written = exact !== null ? exact : element.textContent.trim();
    if (exact === null && /^[=+\-@\t\r]/.test(written)) written = "'" + written;
    return /[",\n\r]/.test(written) ? '"' + written.replace(/"/g, '""') + '"' : written;
  }

  function csv(card) {
    var twins = card.querySelectorAll(".twin table"), tables = twins.length ? twins : card.querySelectorAll("table");
    return Array.prototype.map.call(tables, function (table) {
      return Array.prototype.map.call(table.rows, function (row) {
        return Array.prototype.map.call(row.cells, cell).join(",");
      }).join("\r\n");
    }).join("\r\n\r\n") + "\r\n";
  }

  function wrapped(pen, words, width) {
    var lines = [""];
    words.split(" ").forEach(function (word) {
      var longer = lines[lines.length - 1] ? lines[lines.length - 1] + " " + word : word;
      if (pen.measureText(longer).width <= width) lines[lines.length - 1] = longer;
      else lines.push(word);
    });
    return lines;
  }

  function loaded(address) {
    return new Promise(function (done, failed) {
      var image = new Image();
      image.onload = function () { done(image); };
      image.onerror = failed;
      image.src = address;
    });
  }

  /* The plots of a card that can be seen, under its title, what is measured, and the filters. */
  function picture(card) {
    var plots = Array.prototype.filter.call(card.querySelectorAll(".js-plotly-plot"), function (plot) {
      return plot.offsetParent;
    });
    var drawn = plots.map(function (plot) {
      var size = { format: "png", scale: 2, width: plot.clientWidth, height: plot.clientHeight };
      return window.Plotly.toImage(plot, size).then(loaded);
    });
    return Promise.all(drawn).then(function (images) {
      var looks = getComputedStyle(document.documentElement), colour = function (name) { return looks.getPropertyValue(name).trim(); };
      var widest = Math.max.apply(null, images.map(function (image) { return image.width / 2; }));
      var canvas = document.createElement("canvas"), pen = canvas.getContext("2d");
      var font = getComputedStyle(document.body).fontFamily;
      var texts = [];
      plots.forEach(function (plot, at) {
        var figure = plot.closest("figure");
        texts.push(figure ? text(figure.querySelector("figcaption")) : "");
      });
      function lines(words, size, weight, name) {
        pen.font = weight + " " + size + "px " + font;
        return words ? wrapped(pen, words, widest).map(function (line) {
          return { line: line, font: weight + " " + size + "px " + font, colour: colour(name), step: size * 1.45 };
        }) : [];
      }
      var head = [].concat(
        lines(text(card.querySelector("h2")), 16, 600, "--text"),
        lines(text(card.querySelector(".about")), 12, 400, "--muted"),
        lines(filters().join(" · "), 12, 400, "--muted")
      );
      var parts = [].concat.apply(head, images.map(function (image, at) {
        return lines(texts[at], 12, 400, "--muted").concat({ image: image, step: image.height / 2 + 8 });
      }));
      var tall = parts.reduce(function (sum, part) { return sum + part.step; }, 2 * MARGIN);
      canvas.width = 2 * (widest + 2 * MARGIN);
      canvas.height = 2 * tall;
      pen.scale(2, 2);
      pen.fillStyle = colour("--surface");
      pen.fillRect(0, 0, canvas.width, canvas.height);
      pen.textBaseline = "top";
      var y = MARGIN;
      parts.forEach(function (part) {
        if (part.image) pen.drawImage(part.image, MARGIN, y + 4, part.image.width / 2, part.image.height / 2);
        else { pen.font = part.font; pen.fillStyle = part.colour; pen.fillText(part.line, MARGIN, y); }
        y += part.step;
      });
      return new Promise(function (done) { canvas.toBlob(done, "image/png"); });
    });
  }

  addEventListener("click", function (event) {
    var button = event.target.closest && event.target.closest("[data-save]");
    if (!button) return;
    var card = button.closest(".panel");
    if (button.getAttribute("data-save") === "csv") {
      deliver(new Blob(["\ufeff" + csv(card)], { type: "text/csv;charset=utf-8" }), fileName(card, "csv"));
      return;
    }
    button.disabled = true;
    picture(card).then(function (blob) { deliver(blob, fileName(card, "png")); }).finally(function () { button.disabled = false; });
  });
})();
