/* The site's own script: the theme, copying, layers, spans and rows, the lookup of a row. Nothing is asked of the network:
   indexes are scripts of the site, added to the page when they are needed. */
"use strict";
(function () {
  var here = document.currentScript;
  var root = here.getAttribute("data-root");
  var html = document.documentElement;
  html.className = "js";

  // ---- the theme: as the system has it, light, dark
  var THEMES = ["", "light", "dark"];
  function kept() { try { return localStorage.getItem("dateline-theme") || ""; } catch (_) { return ""; } }
  function paint(theme) { if (theme) { html.setAttribute("data-theme", theme); } else { html.removeAttribute("data-theme"); } }
  paint(kept());

  // ---- indexes: each chunk is a script that calls datelineChunk(name, value)
  var chunks = {}, waiting = {};
  window.datelineChunk = function (name, value) { chunks[name] = value; };
  function chunk(name, then) {
    if (name in chunks) { then(chunks[name]); return; }
    if (waiting[name]) { waiting[name].push(then); return; }
    waiting[name] = [then];
    var script = document.createElement("script");
    script.src = root + name + ".js";
    script.onload = script.onerror = function () {
      var list = waiting[name];
      delete waiting[name];
      if (!(name in chunks)) { chunks[name] = null; }
      list.forEach(function (each) { each(chunks[name]); });
    };
    document.head.appendChild(script);
  }
  function bucket(words) {
    var found = 0x811c9dc5;
    new TextEncoder().encode(words).forEach(function (byte) { found = Math.imul(found ^ byte, 0x01000193) >>> 0; });
    var folded = (found ^ (found >>> 8) ^ (found >>> 16) ^ (found >>> 24)) & 0xff;
    return ("0" + folded.toString(16)).slice(-2);
  }
  window.dateline = { root: root, chunk: chunk, bucket: bucket };

  function all(selector, within) { return Array.prototype.slice.call((within || document).querySelectorAll(selector)); }

  document.addEventListener("DOMContentLoaded", function () {
    themeSwitch();
    copying();
    var article = document.querySelector(".article");
    if (article) { reading(article); }
    var lookup = document.querySelector("[data-lookup]");
    var search = document.querySelector("[data-search]");
    if (search) { searching(search); }
    if (lookup) { findRow(lookup); window.addEventListener("hashchange", function () { findRow(lookup); }); }
  });

  function themeSwitch() {
    var button = document.querySelector("[data-theme-switch]");
    function name(theme) { button.setAttribute("aria-label", "Colours: " + (theme || "as the system")); button.title = button.getAttribute("aria-label"); }
    name(kept());
    button.addEventListener("click", function () {
      var now = html.getAttribute("data-theme") || "";
      var next = THEMES[(THEMES.indexOf(now) + 1) % THEMES.length];
      paint(next); name(next);
      try { localStorage.setItem("dateline-theme", next); } catch (_) { /* then it is not kept */ }
    });
  }

  function copying() {
    all("[data-copy]").forEach(function (button) {
      button.addEventListener("click", function () {
        var code = button.parentNode.querySelector("code");
        var said = function (words) { button.textContent = words; setTimeout(function () { button.textContent = "Copy"; }, 1500); };
        var chosen = function () { getSelection().selectAllChildren(code); said(document.execCommand("copy") ? "Copied" : "Selected"); };
        if (navigator.clipboard && window.isSecureContext) { navigator.clipboard.writeText(code.textContent).then(function () { said("Copied"); }, chosen); } else { chosen(); }
      });
    });
  }

  // ---- an article: layers are switched by a class, so that no text moves; a card says what stands at a span
  function reading(article) {
    var boxes = {};
    all("[data-layer]", article).forEach(function (box) {
      boxes[box.getAttribute("data-name")] = box;
      function put() { article.classList.toggle("on" + box.getAttribute("data-layer"), box.checked); reach(); }
      box.addEventListener("change", put);
      article.classList.toggle("on" + box.getAttribute("data-layer"), box.checked); // browsers keep what was checked
    });
    var spans = all(".s", article), panels = article.querySelector(".panels");
    var card = article.querySelector(".card"), shown = null, pinned = false, came = null, cameTo = "", lit = [];

    function rowsAt(span) {
      return span.getAttribute("data-rows").split(" ").filter(function (id) { var box = boxes[id.slice(0, id.indexOf("."))]; return !box || box.checked; });
    }
    // one stop for Tab; arrows walk from span to span
    function reach() {
      var first = null;
      spans.forEach(function (span) {
        var open = rowsAt(span).length > 0 && /\S/.test(span.textContent);
        if (open) { span.setAttribute("role", "button"); span.setAttribute("tabindex", "-1"); first = first || span; } else { span.removeAttribute("role"); span.removeAttribute("tabindex"); }
      });
      if (first) { first.setAttribute("tabindex", "0"); }
    }
    reach();
    function step(span, by) {
      for (var n = spans.indexOf(span) + by; n >= 0 && n < spans.length; n += by) {
        if (spans[n].hasAttribute("tabindex")) {
          spans.forEach(function (other) { if (other.getAttribute("tabindex") === "0") { other.setAttribute("tabindex", "-1"); } });
          spans[n].setAttribute("tabindex", "0");
          spans[n].focus();
          return;
        }
      }
    }
    function light(ids) {
      dim();
      ids.forEach(function (id) {
        all('[data-rows~="' + id + '"]', article).forEach(function (span) { span.classList.add("lit"); lit.push(span); });
      });
      if (ids.length === 1) { join(lit); }
    }
    // the parts of one item, however far apart, are joined by a line while it is lit
    var drawing = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    drawing.setAttribute("class", "join"); drawing.setAttribute("aria-hidden", "true");
    article.querySelector(".reading").appendChild(drawing);
    function join(parts) {
      var home = drawing.getBoundingClientRect();
      for (var n = 0; n + 1 < parts.length && n < 40; n++) {
        if (parts[n].nextSibling === parts[n + 1]) { continue; }
        var a = parts[n].getClientRects(), b = parts[n + 1].getClientRects()[0];
        a = a[a.length - 1];
        var line = document.createElementNS("http://www.w3.org/2000/svg", "path"), dip = 0.45 * parseFloat(getComputedStyle(parts[n]).fontSize);
        var x = a.right - home.left, y = a.top + dip * 2.6 - home.top, u = b.left - home.left, v = b.top + dip * 2.6 - home.top;
        line.setAttribute("d", "M" + x + "," + y + "Q" + (x + u) / 2 + "," + (Math.max(y, v) + dip) + " " + u + "," + v);
        drawing.appendChild(line);
      }
    }
    function dim() { drawing.textContent = ""; lit.forEach(function (span) { span.classList.remove("lit"); }); lit = []; }

    function show(span, keep) {
      var ids = rowsAt(span);
      if (!ids.length) { return; }
      shown = span; pinned = keep;
      card.textContent = "";
      if (came) {
        var back = document.createElement("a");
        back.href = "#" + came.id; back.className = "back"; back.textContent = "Back to " + came.getAttribute("data-key");
        back.addEventListener("click", close);
        card.appendChild(back);
      }
      ids.forEach(function (id) {
        var row = document.getElementById(id);
        if (!row) { return; }
        var part = document.createElement("section"), said = document.createElement("p");
        said.className = "layer-name"; said.textContent = row.closest(".panel").querySelector("summary bdi").textContent;
        part.appendChild(said);
        [row.querySelector(".head"), row.querySelector("dl")].forEach(function (piece) { if (piece) { part.appendChild(piece.cloneNode(true)); } });
        all(".see", part).forEach(function (link) { link.remove(); });
        card.appendChild(part);
      });
      card.hidden = false;
      place(span);
      light([ids[ids.length - 1]]);
    }
    function place(span) {
      var at = span.getClientRects()[0], room = card.getBoundingClientRect();
      card.style.left = Math.max(8, Math.min(at.left, document.documentElement.clientWidth - room.width - 8)) + "px";
      var below = at.bottom + 6;
      card.style.top = (below + room.height > window.innerHeight && at.top - room.height - 6 > 0 ? at.top - room.height - 6 : Math.min(below, Math.max(8, window.innerHeight - room.height - 8))) + "px";
    }
    function close() { card.hidden = true; shown = null; pinned = false; came = null; dim(); }

    var wait = 0;
    function over(event) { return event.target.closest ? event.target.closest(".s") : null; }
    article.addEventListener("mouseover", function (event) {
      var span = over(event);
      clearTimeout(wait);
      if (span && !pinned) { wait = setTimeout(function () { show(span, false); }, 120); }
      else if (!pinned && shown && !event.target.closest(".card")) { wait = setTimeout(close, 250); }
    });
    article.addEventListener("focusin", function (event) {
      var span = over(event);
      if (span) { show(span, false); }
    });
    article.addEventListener("click", function (event) {
      var span = over(event);
      if (span) { show(span, true); }
      else if (pinned && !event.target.closest(".card")) { close(); }
    });
    document.addEventListener("keydown", function (event) {
      if (event.key === "Escape" && !card.hidden) {
        var span = shown, inside = card.contains(document.activeElement);
        close();
        if (inside && span) { span.focus(); close(); }
        return;
      }
      var at = document.activeElement && document.activeElement.closest ? document.activeElement.closest(".s") : null;
      if (!at || event.altKey || event.ctrlKey || event.metaKey) { return; }
      var rtl = at.closest("[dir]").getAttribute("dir") === "rtl";
      if (event.key === "ArrowRight" || event.key === "ArrowLeft") { event.preventDefault(); step(at, (event.key === "ArrowRight") === rtl ? -1 : 1); }
      else if (event.key === "Enter" || event.key === " ") {
        event.preventDefault(); show(at, true);
        var link = card.querySelector("a"); if (link) { link.focus(); }
      }
    });
    window.addEventListener("scroll", function () { if (shown) { place(shown); } }, { passive: true });

    // from a row to its place, and to a row by its name
    panels.addEventListener("mouseover", function (event) {
      var row = event.target.closest(".row");
      if (row && !pinned) { var see = row.querySelector(".head .see"); light([see && see.getAttribute("data-at") || row.id]); }
    });
    panels.addEventListener("mouseleave", function () { if (!pinned) { dim(); } });
    article.addEventListener("click", function (event) {
      var see = event.target.closest("a.see");
      if (see) { came = document.getElementById(see.getAttribute("data-see")); cameTo = see.getAttribute("data-at") || came.id; }
    });
    function arrive() {
      var hash; try { hash = decodeURIComponent(location.hash.slice(1)); } catch (_) { hash = location.hash.slice(1); }
      if (hash.slice(0, 4) === "row=") {
        var found = all(".row", panels).filter(function (row) { return row.getAttribute("data-key") === hash.slice(4); })[0]
          || all(".row", panels).filter(function (row) { return hash.slice(4).split(":").indexOf(row.getAttribute("data-key")) >= 0; })[0];
        if (found) { location.replace("#" + found.id); }
        return;
      }
      var target = hash && document.getElementById(hash);
      if (!target) { return; }
      if (target.classList.contains("s")) {
        var row = came;
        target.scrollIntoView({ block: "center" });
        if (!rowsAt(target).length) { rowsOf(target).forEach(function (box) { box.checked = true; box.dispatchEvent(new Event("change")); }); }
        step(spans[spans.indexOf(target) - 1] || target, spans.indexOf(target) ? 1 : 0);
        target.focus(); came = row; show(target, true);
        if (row) { light([cameTo]); }
      } else {
        for (var up = target; up; up = up.parentElement) { if (up.tagName === "DETAILS") { up.open = true; } }
        target.scrollIntoView({ block: "nearest" });
        var head = target.querySelector("a.key"); if (head) { head.focus({ preventScroll: true }); }
        light([target.id]);
      }
    }
    function rowsOf(span) {
      var names = span.getAttribute("data-rows").split(" ").map(function (id) { return boxes[id.slice(0, id.indexOf("."))]; });
      return names.filter(function (box, n) { return box && names.indexOf(box) === n; });
    }
    window.addEventListener("hashchange", arrive);
    arrive();
  }

  // ---- the search
  var UNSPACED = /[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\u{20000}-\u{3134f}]+/u;
  function wordsOf(text) {
    var found = [];
    (text.normalize("NFKD").toLowerCase().replace(/\p{M}/gu, "").match(/[\p{L}\p{N}]+/gu) || []).forEach(function (word) {
      while (word) {
        var at = UNSPACED.exec(word), run;
        if (at && at.index === 0) { run = at[0]; } else { run = at ? word.slice(0, at.index) : word; }
        if (at && at.index === 0 && Array.from(run).length > 1) {
          var letters = Array.from(run);
          for (var n = 0; n + 1 < letters.length; n++) { found.push({ word: letters[n] + letters[n + 1], whole: true }); }
        } else { found.push({ word: Array.from(run).slice(0, 40).join(""), whole: false }); }
        word = word.slice(run.length);
      }
    });
    return found;
  }
  function searching(form) {
    var counted = document.querySelector("[data-count]"), list = document.querySelector("[data-results]"), more = document.querySelector("[data-more]");
    var facets = null, results = [], put = 0, turn = 0, STEP = 50;
    chunk("search/facets", function (found) {
      if (!found) { counted.textContent = "The index of this site is not there."; return; }
      facets = found;
      restore(); run();
    });
    function restore() {
      var said = new URLSearchParams(location.hash.slice(1));
      form.elements.q.value = said.get("q") || "";
      all("[data-facet]", form).forEach(function (select) {
        var facet = facets.facets[+select.getAttribute("data-facet")];
        select.value = said.has(facet.name) ? String(facet.values.indexOf(said.get(facet.name))) : "";
        if (select.selectedIndex < 0) { select.value = ""; }
      });
    }
    function keep() {
      var said = new URLSearchParams();
      if (form.elements.q.value) { said.set("q", form.elements.q.value); }
      all("[data-facet]", form).forEach(function (select) { var facet = facets.facets[+select.getAttribute("data-facet")]; if (select.value !== "") { said.set(facet.name, facet.values[+select.value]); } });
      history.replaceState(null, "", "#" + said.toString());
    }
    function run() {
      var mine = ++turn, words = wordsOf(form.elements.q.value), left = words.length, sets = [];
      if (!left) { show(null); return; }
      words.forEach(function (wanted, n) {
        chunk("search/w-" + bucket(Array.from(wanted.word).slice(0, 2).join("")), function (found) {
          var here = new Set();
          Object.keys(found || {}).forEach(function (word) {
            if (word === wanted.word || (!wanted.whole && Array.from(wanted.word).length > 1 && word.indexOf(wanted.word) === 0)) {
              var at = 0; found[word].forEach(function (by) { at += by; here.add(at); });
            }
          });
          sets[n] = here;
          if (!--left && mine === turn) { show(sets); }
        });
      });
    }
    function show(sets) {
      var chosen = all("[data-facet]", form).filter(function (select) { return select.value !== ""; }).map(function (select) { return [facets.facets[+select.getAttribute("data-facet")].of, +select.value]; });
      results = [];
      for (var n = 0; n < facets.total; n++) {
        if ((!sets || sets.every(function (set) { return set.has(n); })) && chosen.every(function (facet) { return facet[0][n] === facet[1]; })) { results.push(n); }
      }
      counted.textContent = results.length.toLocaleString("en") + (results.length === 1 ? " article" : " articles");
      list.textContent = ""; put = 0; fill(turn);
    }
    function fill(mine) {
      var some = results.slice(put, put + STEP), needed = {}, left;
      put += some.length;
      some.forEach(function (n) { needed["search/d-" + ("00" + Math.floor(n / facets.size)).slice(-Math.max(3, String(Math.floor(n / facets.size)).length))] = true; });
      left = Object.keys(needed).length;
      more.hidden = put >= results.length;
      if (!left) { return; }
      Object.keys(needed).forEach(function (name) { chunk(name, function () { if (!--left && mine === turn) { some.forEach(line); } }); });
    }
    function line(n) {
      var part = chunks["search/d-" + ("00" + Math.floor(n / facets.size)).slice(-Math.max(3, String(Math.floor(n / facets.size)).length))];
      var said = part && part[n % facets.size];
      if (!said) { return; }
      var item = document.createElement("li"), link = document.createElement("a"), title = document.createElement("bdi"), about = document.createElement("span");
      link.href = root + said[0]; title.textContent = visible(said[1]); link.appendChild(title); item.appendChild(link);
      var facts = [said[3], said[1] === said[2] ? "" : said[2], said[4] ? "text withheld" : ""];
      facets.facets.forEach(function (facet) { if (facet.of[n] >= 0) { facts.push(facet.values[facet.of[n]]); } });
      about.className = "soft"; about.textContent = facts.filter(Boolean).map(visible).join(" · "); item.appendChild(about);
      list.appendChild(item);
    }
    var wait = 0;
    form.addEventListener("input", function () { clearTimeout(wait); wait = setTimeout(function () { if (facets) { keep(); run(); } }, 120); });
    form.addEventListener("submit", function (event) { event.preventDefault(); });
    more.addEventListener("click", function () { fill(turn); });
    window.addEventListener("hashchange", function () { if (facets) { restore(); run(); } });
  }
  // controls and marks of direction, as escapes
  function visible(words) {
    return words.replace(/[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufff0-\uffff]/g, function (mark) { return "\\u" + ("000" + mark.charCodeAt(0).toString(16)).slice(-4); });
  }

  // ---- row.html#ID
  function findRow(shown) {
    var id;
    try { id = decodeURIComponent(location.hash.slice(1)); } catch (_) { id = location.hash.slice(1); }
    if (!id) { return; }
    chunk("rows/" + bucket(id), function (whole) {
      if (whole && Object.prototype.hasOwnProperty.call(whole, id)) { location.replace(root + whole[id]); return; }
      var cut = id.indexOf("#");
      var article = cut < 0 ? id : id.slice(0, cut), key = cut < 0 ? "" : id.slice(cut + 1);
      chunk("rows/" + bucket(article), function (part) {
        if (part && Object.prototype.hasOwnProperty.call(part, article)) { location.replace(root + part[article] + (key ? "#row=" + encodeURIComponent(key) : "")); return; }
        shown.textContent = "This release has no row " + id;
      });
    });
  }
}());
