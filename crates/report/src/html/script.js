(function () {
  "use strict";
  var byId = function (id) { return document.getElementById(id); };
  var show = function (element) { if (element) { element.hidden = false; } return element; };
  var root = document.documentElement;

  var theme = show(byId("theme"));
  theme.addEventListener("click", function () {
    var dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
  });

  var copy = show(byId("copy"));
  if (copy) {
    copy.addEventListener("click", function () {
      var range = document.createRange();
      range.selectNodeContents(byId("command"));
      var selection = getSelection();
      selection.removeAllRanges();
      selection.addRange(range);
      document.execCommand("copy");
      copy.textContent = "✓";
    });
  }

  var open = function () {
    var target = location.hash && byId(decodeURIComponent(location.hash.slice(1)));
    var details = target && target.closest("details");
    if (details) { details.open = true; target.scrollIntoView(); }
  };
  addEventListener("hashchange", open);
  open();

  var closed = [];
  addEventListener("beforeprint", function () {
    closed = Array.prototype.slice.call(document.querySelectorAll("details:not([open])"));
    closed.forEach(function (details) { details.open = true; });
  });
  addEventListener("afterprint", function () { closed.forEach(function (details) { details.open = false; }); });

  var table = byId("rows");
  if (!table) { return; }
  var STEP = 500;
  var body = table.tBodies[0];
  var inline = Array.prototype.slice.call(body.rows);
  var island = byId("island");
  var packed = null;
  var more = byId("more");
  var shown = STEP;

  var cells = function (row) {
    return row.map(function (cell, at) { return at > 1 && at < row.length - 1 ? packed.t[cell] : cell; });
  };
  var made = function (texts) {
    var row = document.createElement("tr");
    texts.forEach(function (text, at) {
      var cell = document.createElement(at ? "td" : "th");
      if (at) {
        cell.textContent = text;
      } else {
        cell.scope = "row";
        var code = document.createElement("code");
        code.textContent = text.replace("#", "").slice(0, 8);
        var link = text[0] === "#" ? document.createElement("a") : null;
        if (link) { link.href = "#s-" + text.slice(1); link.appendChild(code); }
        cell.appendChild(link || code);
      }
      row.appendChild(cell);
    });
    return row;
  };
  var render = function (unfold) {
    if (unfold && !packed && island) { packed = JSON.parse(island.textContent); }
    var wanted = byId("wanted").value.toLowerCase();
    var matching = 0;
    inline.forEach(function (row) {
      row.hidden = wanted !== "" && row.textContent.toLowerCase().indexOf(wanted) < 0;
      if (!row.hidden) { matching += 1; }
    });
    while (body.rows.length > inline.length) { body.deleteRow(-1); }
    var fragment = document.createDocumentFragment();
    if (packed) {
      packed.r.forEach(function (row) {
        var texts = cells(row);
        if (wanted !== "" && texts.join("\n").toLowerCase().indexOf(wanted) < 0) { return; }
        matching += 1;
        if (matching <= shown) { fragment.appendChild(made(texts)); }
      });
    }
    body.appendChild(fragment);
    byId("matching").textContent = matching + " / " + byId("matching").dataset.of;
    if (more) { more.hidden = Boolean(packed) && matching <= shown; }
  };
  show(byId("filter"));
  if (byId("unscripted")) { byId("unscripted").hidden = true; }
  show(more);
  var timer = 0;
  byId("wanted").addEventListener("input", function () {
    clearTimeout(timer);
    timer = setTimeout(function () { shown = STEP; render(true); }, 120);
  });
  if (more) { more.addEventListener("click", function () { shown += STEP; render(true); }); }
})();
