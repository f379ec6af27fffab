/// Style, script and drawing patterns of the page.
enum HTMLAssets {
    /// Nothing but this style and this script: the digests are theirs (Content Security Policy Level 3, section 2.3.1). A
    /// test compares them.
    static let contentSecurityPolicy: StaticString =
        """
        default-src 'none'; style-src 'sha256-RAtOTZLOlv64QkCjoirN/iSK+DYGo4AIiL3u2Q9Eaiw='; \
        script-src 'sha256-revK8MS2pgP7Nh5YXH77qgkxnYBIE/ev61q+97zJpLM='; base-uri 'none'; form-action 'none'
        """

    /// What marks bytes that are hidden.
    static let patterns: StaticString = """
        <svg class="patterns" width="0" height="0" aria-hidden="true"><defs>\
        <pattern id="waste" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">\
        <rect class="hatch-ground" width="6" height="6"></rect>\
        <line class="hatch" x1="0" y1="0" x2="0" y2="6"></line></pattern></defs></svg>

        """

    static let style: StaticString = #"""
        :root {
          color-scheme: light dark;
          --paper: #fbfaf6; --card: #fff; --sunk: #f3f1ea; --ink: #1f2429; --soft: #565e69; --line: #dfdbd0;
          --accent: #6f5510; --pass: #14693f; --fail: #a8231c; --error: #855000; --waived: #4d4396; --none: #565e69;
          --pass-tint: #e3f2e9; --fail-tint: #fbe7e4; --error-tint: #fbeed8; --waived-tint: #eae8f8; --none-tint: #efede6;
          --hatch: #a8231c; --saturation: 42%; --light: 62%; --mono: ui-monospace, "Cascadia Mono", "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace;
        }
        @media (prefers-color-scheme: dark) {
          :root {
            --paper: #14171b; --card: #1b1f24; --sunk: #22272d; --ink: #e8e5de; --soft: #a9b0ba; --line: #333a43;
            --accent: #e0c068; --pass: #6ed3a0; --fail: #ff9389; --error: #f2be6c; --waived: #bcb3ff; --none: #a9b0ba;
            --pass-tint: #16301f; --fail-tint: #3d1c1a; --error-tint: #38290f; --waived-tint: #28244a; --none-tint: #272c33;
            --hatch: #ff9389; --saturation: 34%; --light: 42%;
          }
        }
        * { box-sizing: border-box; }
        [hidden] { display: none !important; }
        html { scroll-padding-top: 4rem; }
        body { margin: 0; overflow-wrap: break-word; background: var(--paper); color: var(--ink); font: 15px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "DejaVu Sans", sans-serif; }
        .wrap, main, footer .wrap { max-width: 74rem; margin: 0 auto; padding: 0 1.5rem; }
        code, pre, .reference { font-family: var(--mono); font-size: .875em; overflow-wrap: anywhere; }
        pre { margin: .25rem 0; padding: .6rem .8rem; background: var(--sunk); border-radius: 6px; white-space: pre-wrap; overflow-wrap: anywhere; }
        a { color: var(--accent); text-underline-offset: .15em; }
        :focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 3px; }
        main:focus { outline: none; }
        h1, h2, h3 { line-height: 1.25; font-weight: 650; letter-spacing: -.01em; }
        h1 { margin: 0; font-size: 2.1rem; }
        h2 { margin: 0 0 .9rem; font-size: 1.35rem; }
        h3 { margin: 1.6rem 0 .5rem; font-size: 1rem; }
        p { margin: .4rem 0; }
        .hint, .rest, figcaption { color: var(--soft); font-weight: 400; letter-spacing: 0; }
        .hint { font-size: .9rem; }
        svg.patterns { position: absolute; }

        header.page { padding: 2.6rem 0 1.6rem; border-bottom: 1px solid var(--line); background: var(--card); }
        .verdict { display: flex; gap: 1.2rem; align-items: center; }
        .seal { flex: none; width: 4rem; height: 4rem; border-radius: 50%; display: grid; place-items: center; font-size: 2rem; font-weight: 700; border: 2px solid currentColor; outline: 1px solid currentColor; outline-offset: 3px; }
        header.pass .seal, header.pass h1 { color: var(--pass); }
        header.fail .seal, header.fail h1 { color: var(--fail); }
        header.error .seal, header.error h1 { color: var(--error); }
        .reference { margin: .2rem 0 0; font-size: .95rem; color: var(--soft); }
        .counts { margin: 1.6rem 0 1.2rem; }
        .counts ul { list-style: none; margin: .6rem 0 0; padding: 0; display: flex; flex-wrap: wrap; gap: .2rem 1.5rem; }
        .counts li { color: var(--soft); }
        .counts b { color: var(--ink); font-size: 1.1em; font-variant-numeric: tabular-nums; }
        .counts .symbol { font-weight: 700; margin-right: .35em; }
        .counts .pass .symbol { color: var(--pass); } .counts .fail .symbol { color: var(--fail); }
        .counts .error .symbol { color: var(--error); } .counts .waived .symbol { color: var(--waived); }
        svg.outcomes { display: block; width: 100%; height: 10px; border-radius: 5px; }
        rect.pass { fill: var(--pass); } rect.fail { fill: var(--fail); } rect.error { fill: var(--error); }
        rect.waived { fill: var(--waived); } rect.none { fill: var(--line); } rect.skip { fill: var(--none); opacity: .45; }
        .warning { color: var(--error); background: var(--error-tint); padding: .45rem .8rem; border-radius: 6px; }
        .good { color: var(--pass); }

        nav.page { position: sticky; top: 0; z-index: 2; background: var(--paper); border-bottom: 1px solid var(--line); }
        nav .wrap { display: flex; gap: 1.6rem; overflow-x: auto; }
        nav a { padding: .75rem 0; color: var(--ink); text-decoration: none; white-space: nowrap; }
        nav a:hover { color: var(--accent); text-decoration: underline; }
        main { padding-bottom: 3rem; }
        main > section { padding: 2.2rem 0 .4rem; }
        main > section + section { border-top: 1px solid var(--line); margin-top: 1.8rem; }
        footer { border-top: 1px solid var(--line); color: var(--soft); padding: 1rem 0 2rem; font-size: .9rem; }

        dl { margin: 0; }
        dd { margin: 0; min-width: 0; overflow-wrap: anywhere; }
        dt { color: var(--soft); }
        .identity { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(27rem, 100%), 1fr)); gap: .35rem 2.4rem; font-size: .93rem; }
        .identity > div { display: grid; grid-template-columns: 7rem minmax(0, 1fr); gap: .8rem; align-items: baseline; }
        .identity summary { color: var(--soft); cursor: pointer; }
        .identity ul { margin: .1rem 0; padding-left: 1.1rem; color: var(--soft); font-size: .93em; }
        .facts > div { display: grid; grid-template-columns: 7rem minmax(0, 1fr); gap: .8rem; padding: .14rem 0; align-items: baseline; }
        .facts ul { margin: .2rem 0; padding-left: 1.1rem; }
        .finding { margin: .6rem 0; padding: .5rem .9rem; border-left: 3px solid var(--line); }
        .check.fail .finding { border-color: var(--fail); } .check.error .finding { border-color: var(--error); }
        .check.waived .finding { border-color: var(--waived); }
        .fail .observed dd > code { color: var(--fail); font-weight: 600; }
        .digest { color: var(--soft); }

        .badge { display: inline-block; padding: .02rem .55rem; border-radius: 99px; font-size: .8rem; font-weight: 600; white-space: nowrap; letter-spacing: 0; vertical-align: .08em; }
        .badge.pass { color: var(--pass); background: var(--pass-tint); } .badge.fail { color: var(--fail); background: var(--fail-tint); }
        .badge.error { color: var(--error); background: var(--error-tint); } .badge.waived { color: var(--waived); background: var(--waived-tint); }
        .badge.none, .badge.skip { color: var(--none); background: var(--none-tint); }
        .tag { margin-left: .5rem; padding: 0 .4rem; border: 1px solid var(--line); border-radius: 4px; font-size: .8rem; color: var(--soft); }

        .causes { padding: 0; margin: 0; list-style: none; }
        .causes > li { background: var(--card); border: 1px solid var(--line); border-left: 4px solid var(--fail); border-radius: 8px; padding: .9rem 1.2rem; margin: .8rem 0; }
        .causes h3 { margin-top: 0; }
        .causes ul { list-style: none; padding: 0; margin: .7rem 0 0; }
        .causes ul li { padding: .35rem 0; }
        .short { margin: .15rem 0 0; font-size: .93rem; color: var(--soft); }
        .short code { color: var(--ink); }

        .filter { display: flex; flex-wrap: wrap; gap: .6rem 1rem; align-items: center; margin: 0 0 1rem; padding: .8rem 1rem; background: var(--card); border: 1px solid var(--line); border-radius: 8px; }
        .filter label { color: var(--soft); }
        .filter input, .filter select, .filter button { font: inherit; color: var(--ink); background: var(--paper); border: 1px solid var(--soft); border-radius: 6px; padding: .25rem .6rem; min-height: 2rem; }
        .filter input { width: 17rem; max-width: 100%; }
        .filter select { max-width: 14rem; }
        .filter div { display: flex; flex-wrap: wrap; gap: .35rem; }
        .filter button { cursor: pointer; }
        .filter button:hover { border-color: var(--ink); }
        .filter button[aria-pressed="true"] { color: var(--paper); background: var(--ink); border-color: var(--ink); }
        .filter output { color: var(--soft); margin-left: auto; }

        .group { content-visibility: auto; contain-intrinsic-size: auto 400px; }
        summary { cursor: pointer; overflow-wrap: anywhere; }
        .check { border-bottom: 1px solid var(--line); }
        .check > summary { padding: .4rem .2rem; }
        .check > summary > code { font-weight: 600; margin: 0 .3rem; }
        .check > summary > .badge { min-width: 5rem; text-align: center; }
        .check > summary:hover, .layer > summary:hover, .probe > summary:hover { background: var(--sunk); }
        .check[open] { background: var(--card); border: 1px solid var(--line); border-radius: 8px; margin: .5rem 0; padding: 0 1rem .7rem; }
        .check:target, tr:target { outline: 2px solid var(--accent); outline-offset: 1px; }
        .reason { color: var(--soft); }
        .byimage { border-top: 1px dashed var(--line); padding: .4rem 0; }
        details.matrix > summary h3, details.image > summary h2 { display: inline; }
        details.matrix > summary { padding: .5rem 0; }
        details.image { border-top: 1px solid var(--line); margin-top: 1.2rem; padding-top: 1rem; }
        details.image > section { padding-top: 1.4rem; }

        .scroll { overflow-x: auto; max-width: 100%; }
        table { border-collapse: collapse; width: 100%; font-size: .92rem; }
        caption { text-align: left; color: var(--soft); padding: .3rem 0; }
        th, td { text-align: left; padding: .3rem .7rem .3rem 0; border-bottom: 1px solid var(--line); vertical-align: top; font-weight: 400; overflow-wrap: anywhere; }
        thead th { color: var(--soft); font-weight: 600; overflow-wrap: normal; white-space: nowrap; }
        tbody tr:hover { background: var(--sunk); }
        th.number { text-align: right; } td.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
        table.images td { overflow-wrap: normal; }
        table.matrix { width: auto; min-width: 60%; }
        table.matrix td { text-align: center; white-space: nowrap; padding: .2rem .5rem; color: var(--soft); }
        table.matrix thead th + th { text-align: center; padding: .2rem .5rem; }
        table.matrix td.pass { color: var(--pass); } table.matrix td.fail { color: var(--fail); background: var(--fail-tint); font-weight: 600; }
        table.matrix td.error { color: var(--error); background: var(--error-tint); font-weight: 600; }
        table.matrix td.waived { color: var(--waived); background: var(--waived-tint); }

        .h0 { --hue: 42; } .h1 { --hue: 205; } .h2 { --hue: 152; } .h3 { --hue: 268; } .h4 { --hue: 18; }
        .h5 { --hue: 182; } .h6 { --hue: 88; } .h7 { --hue: 232; } .h8 { --hue: 335; } .h9 { --hue: 60; }
        rect.fill { fill: hsl(var(--hue) var(--saturation) var(--light)); stroke: var(--paper); stroke-width: 1; }
        rect.waste { fill: url(#waste); pointer-events: none; }
        .hatch { stroke: var(--hatch); stroke-width: 2; } .hatch-ground { fill: var(--paper); opacity: .35; }
        svg.layerbar { display: block; width: 100%; height: 26px; border-radius: 5px; }
        .map { margin: 1rem 0; }
        svg.treemap { display: block; width: 100%; min-width: 46rem; height: auto; border-radius: 6px; }
        rect.tile { fill: hsl(var(--hue) var(--saturation) var(--light)); fill-opacity: .26; stroke: var(--paper); stroke-width: 1.2; }
        rect.d0 { fill-opacity: .4; } rect.tile:hover, rect.tile.current { stroke: var(--ink); stroke-width: 2; fill-opacity: .75; }
        svg.treemap text { font-size: 11px; fill: var(--ink); pointer-events: none; font-family: inherit; }
        .readout { min-height: 1.6em; font-size: .9rem; overflow-wrap: anywhere; }
        .layer { border-bottom: 1px solid var(--line); }
        .layer > summary::before, .probe > summary::before { content: "▸"; color: var(--soft); } .layer[open] > summary::before, .probe[open] > summary::before { content: "▾"; }
        .layer > summary { display: grid; grid-template-columns: .8rem 2.2rem 16rem minmax(0, 1fr); gap: .8rem; padding: .35rem .2rem; align-items: baseline; }
        .layer > summary .instruction { color: var(--soft); overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
        .layer[open] { background: var(--card); padding: 0 1rem 1rem; border: 1px solid var(--line); border-radius: 8px; margin: .5rem 0; }
        .chip { text-align: center; border-radius: 5px; background: hsl(var(--hue) var(--saturation) var(--light) / .4); font-variant-numeric: tabular-nums; }
        .hidden-bytes { color: var(--fail); }
        .packages > summary { padding: .3rem 0; }

        .probe { border-bottom: 1px solid var(--line); }
        .probe > summary { display: grid; grid-template-columns: .8rem minmax(10rem, 22rem) minmax(4rem, 14rem) 6rem 1fr; gap: .8rem; padding: .35rem .2rem; align-items: center; }
        .probe > summary .badge { justify-self: start; }
        .probe[open] { background: var(--card); padding: 0 1rem 1rem; border: 1px solid var(--line); border-radius: 8px; margin: .5rem 0; }
        svg.mini { width: 100%; height: 8px; border-radius: 4px; background: var(--sunk); }
        rect.mini { fill: hsl(42 60% 52%); }
        svg.timeline { display: block; width: 100%; min-width: 40rem; height: auto; margin: .6rem 0; }
        svg.timeline text { font-size: 11px; fill: var(--ink); }
        svg.timeline .tick { text-anchor: middle; fill: var(--soft); } svg.timeline .note { fill: var(--soft); } svg.timeline .before { text-anchor: end; }
        svg.timeline .inside { fill: var(--ink); }
        .grid { stroke: var(--line); } .mark { stroke: var(--fail); stroke-width: 2; }
        rect.service { fill: hsl(205 45% 55%); fill-opacity: .45; } rect.container { fill: hsl(42 60% 52%); fill-opacity: .5; }
        .event { fill: var(--accent); }
        table.state { width: auto; } table.state caption { white-space: nowrap; } table.state th, table.state td { padding-right: 1.4rem; }
        .container { margin: .8rem 0; } .stream > summary { color: var(--soft); font-size: .9rem; }
        table.events td:first-child { width: 6rem; }

        @media (max-width: 44rem) {
          .wrap, main, footer .wrap { padding: 0 1rem; }
          h1 { font-size: 1.6rem; } .seal { width: 3rem; height: 3rem; font-size: 1.5rem; }
          .identity > div, .facts > div { grid-template-columns: minmax(0, 1fr); gap: 0; }
          .layer > summary { grid-template-columns: .8rem 2.2rem minmax(0, 1fr); } .layer > summary .instruction { grid-column: 1 / -1; }
          .probe > summary { grid-template-columns: .8rem minmax(0, 1fr) auto; } .probe > summary svg { display: none; }
          .filter output { margin-left: 0; }
        }
        @media print {
          :root { --paper: #fff; --card: #fff; --sunk: #f4f4f4; --ink: #000; --soft: #444; --line: #bbb; }
          nav.page, .filter { display: none; }
          body { font-size: 10pt; } .wrap, main { max-width: none; padding: 0; }
          .group { content-visibility: visible; }
          h2, h3, .hint, caption, thead { break-after: avoid; } tr { break-inside: avoid; }
          .layer > summary .instruction { white-space: normal; }
          .causes > li, .check[open], .layer[open] { break-inside: avoid; }
          .scroll { overflow: visible; } svg.treemap, svg.timeline { min-width: 0; }
          * { print-color-adjust: exact; }
        }
        """#

    /// Filters and the treemap's readout. No listener is put on a row.
    static let script: StaticString = #"""
        "use strict";
        (() => {
          const byId = (id) => document.getElementById(id);
          const filter = byId("filter");
          if (filter) {
            const query = byId("query"), subject = byId("subject"), toggle = byId("toggle"), shown = byId("shown");
            const buttons = [...filter.querySelectorAll("[data-outcome]")];
            const groups = [...document.querySelectorAll(".group")];
            const items = [];
            groups.forEach((group, number) => {
              for (const element of group.querySelectorAll("[data-check]")) {
                items.push({ element, number, outcomes: element.dataset.check.split(" "), text: null });
              }
            });
            const apply = () => {
              const words = query.value.toLowerCase().split(/\s+/).filter(Boolean);
              const wanted = new Set(buttons.filter((b) => b.ariaPressed === "true").map((b) => b.dataset.outcome));
              const number = subject && subject.value !== "" ? Number(subject.value) : null;
              const isFiltered = words.length > 0 || wanted.size > 0 || number !== null;
              const counts = groups.map(() => 0);
              const found = new Set();
              for (const item of items) {
                let matches = number === null || item.number === number;
                if (matches && wanted.size > 0) matches = item.outcomes.some((o) => wanted.has(o));
                if (matches && words.length > 0) {
                  item.text ??= (groups[item.number].dataset.group + " " + item.element.textContent).toLowerCase();
                  matches = words.every((word) => item.text.includes(word));
                }
                item.element.hidden = !matches;
                if (matches) {
                  counts[item.number] += 1;
                  found.add(item.element.querySelector("code, a")?.textContent + " " + item.number);
                }
              }
              groups.forEach((group, index) => {
                group.hidden = counts[index] === 0;
                if (isFiltered && counts[index] > 0 && group.tagName === "DETAILS") group.open = true;
              });
              shown.textContent = isFiltered ? found.size + (found.size === 1 ? " check" : " checks") + " shown" : "";
            };
            let timer = 0;
            filter.hidden = false;
            filter.addEventListener("submit", (event) => event.preventDefault());
            query.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(apply, 60); });
            query.addEventListener("keydown", (event) => {
              if (event.key === "Escape") { query.value = ""; apply(); }
            });
            subject?.addEventListener("change", apply);
            filter.addEventListener("click", (event) => {
              const button = event.target.closest("[data-outcome]");
              if (!button) return;
              button.ariaPressed = button.ariaPressed === "true" ? "false" : "true";
              apply();
            });
            toggle.addEventListener("click", () => {
              const cards = items.map((item) => item.element).filter((e) => e.tagName === "DETAILS" && !e.hidden);
              const open = cards.some((card) => !card.open);
              for (const card of cards) card.open = open;
              toggle.textContent = open ? "Close all" : "Open all";
            });
            document.addEventListener("keydown", (event) => {
              if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
              if (/^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) return;
              event.preventDefault();
              query.focus();
            });
          }

          const reveal = () => {
            let target = null;
            try { target = byId(decodeURIComponent(location.hash.slice(1))); } catch { return; }
            if (!target) return;
            for (let e = target; e; e = e.parentElement) if (e.tagName === "DETAILS") e.open = true;
            target.scrollIntoView();
          };
          addEventListener("hashchange", reveal);
          if (location.hash) reveal();
          document.addEventListener("click", (event) => {
            const link = event.target.closest("a[href^='#']");
            if (link && link.getAttribute("href") === location.hash) reveal();
          });

          const show = (map, tile) => {
            map.querySelector(".current")?.classList.remove("current");
            tile.classList.add("current");
            map.closest("figure").querySelector(".readout").textContent = tile.querySelector("title").textContent;
          };
          const middle = (tile) => {
            const box = tile.getBBox();
            return [box.x + box.width / 2, box.y + box.height / 2];
          };
          document.addEventListener("pointerover", (event) => {
            const tile = event.target.closest?.("rect.tile");
            if (tile) show(tile.closest("svg"), tile);
          });
          document.addEventListener("keydown", (event) => {
            const map = event.target.closest?.(".map")?.querySelector("svg.treemap");
            if (!map) return;
            const current = map.querySelector(".current");
            if (event.key === "Enter" && current && !event.target.closest("a")) {
              current.closest("a")?.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true }));
              return;
            }
            const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
            const step = steps[event.key];
            if (!step) return;
            event.preventDefault();
            const tiles = [...map.querySelectorAll("rect.tile")];
            if (!current) return show(map, event.target.querySelector?.("rect.tile") ?? tiles[0]);
            const [x, y] = middle(current);
            let best = null, least = Infinity;
            for (const tile of tiles) {
              if (tile === current) continue;
              const [tx, ty] = middle(tile);
              const along = (tx - x) * step[0] + (ty - y) * step[1];
              const across = Math.abs((tx - x) * step[1]) + Math.abs((ty - y) * step[0]);
              if (along < 0.5) continue;
              const distance = along + 2 * across;
              if (distance < least) { least = distance; best = tile; }
            }
            if (best) show(map, best);
          });
          addEventListener("beforeprint", () => {
            for (const e of document.querySelectorAll("details.group, details.image, .check.fail, .check.error, .check.waived")) e.open = true;
          });
        })();
        """#
}
