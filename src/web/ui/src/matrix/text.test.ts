import { describe, expect, it } from "vitest";

import { editContent, textContent } from "./actions";
import { bodyOfContent, isBigEmoji } from "./body";
import { toHtml } from "./markdown";
import { sanitize, splitLinks, stripReplyFallback } from "./sanitize";

describe("Markdown", () => {
  it("leaves plain text plain", () => {
    for (const text of ["hello", "two\nlines", "1 < 2 & 3", "see https://example.org/a_b_c"]) expect(toHtml(text)).toBeUndefined();
  });

  it("makes HTML of what is marked", () => {
    expect(toHtml("a **b** c")).toBe("a <strong>b</strong> c");
    expect(toHtml("- a\n- b")).toContain("<li>a</li>");
    expect(toHtml("```\n<b>\n```")).toContain("&lt;b&gt;");
  });

  it("takes typed tags for text", () => {
    const html = toHtml("**x** <img src=x onerror=alert(1)>");
    expect(html).toContain("&lt;img");
    expect(toHtml("<div>\nblock\n</div> *x*")).not.toContain("<div>");
  });
});

describe("contents", () => {
  it("has a formatted body only where it says more", () => {
    expect(textContent("hi")).toEqual({ msgtype: "m.text", body: "hi" });
    expect(textContent("*hi*")).toMatchObject({ body: "*hi*", formatted_body: "<em>hi</em>" });
    expect(textContent("/me waves")).toEqual({ msgtype: "m.emote", body: "waves" });
  });

  it("edits with a fallback for clients that know no edits", () => {
    const content = editContent("new", "$1");
    expect(content.body).toBe("* new");
    expect(content["m.new_content"]).toMatchObject({ body: "new" });
    expect(content["m.relates_to"]).toEqual({ rel_type: "m.replace", event_id: "$1" });
  });
});

describe("bodies of other people's events", () => {
  it("survive any content", () => {
    for (const content of [{}, { msgtype: 5 }, { msgtype: "m.image" }, { msgtype: "m.image", url: 3, info: "x" }, { msgtype: "m.text", body: {} }]) {
      expect(bodyOfContent("m.room.message", content as Record<string, unknown>).type).toMatch(/text|unknown/);
    }
  });

  it("take media only from mxc addresses", () => {
    expect(bodyOfContent("m.room.message", { msgtype: "m.image", body: "x", url: "https://evil.example/x.png" }).type).toBe("unknown");
    expect(bodyOfContent("m.room.message", { msgtype: "m.image", body: "x", url: "mxc://h/m", info: { w: -5, h: 10, thumbnail_url: "https://e" } })).toEqual({
      type: "image",
      media: { mxc: "mxc://h/m", thumbnail: undefined, name: "x", mimetype: "", size: undefined, width: undefined, height: 10, caption: undefined },
    });
  });

  it("say that an encrypted file is one", () => {
    expect(bodyOfContent("m.room.message", { msgtype: "m.file", file: { url: "mxc://h/m" } }).type).toBe("encrypted");
  });

  it("know a caption from a name", () => {
    const body = bodyOfContent("m.room.message", { msgtype: "m.image", body: "Look!", filename: "a.png", url: "mxc://h/m" });
    expect(body).toMatchObject({ media: { name: "a.png", caption: "Look!" } });
  });

  it("show up to three emoji large", () => {
    expect(["🔥", "👩‍🚀 👍🏽", "❤️🔥😀"].every(isBigEmoji)).toBe(true);
    expect(["", "a", "🔥🔥🔥🔥", "1", "🔥 ok"].some(isBigEmoji)).toBe(false);
  });
});

describe("sanitising", () => {
  it("leaves nothing that runs, loads or styles", () => {
    const html = sanitize(
      '<b>x</b><script>1</script><img src="https://e/x.png" onerror="1"><a href="javascript:1">y</a>' +
        '<p style="color:red" onclick="1" class="c" id="i">z</p><iframe src="https://e"></iframe><svg onload="1"></svg>',
    );
    expect(html).not.toMatch(/script|img|onerror|javascript|style|onclick|class|id=|iframe|svg/i);
    expect(html).toContain("<b>x</b>");
  });

  it("drops the quotation of older clients, and keeps links honest", () => {
    expect(sanitize("<mx-reply><blockquote>old</blockquote></mx-reply>new")).toBe("new");
    const link = sanitize('<a href="https://example.org">here</a>');
    expect(link).toContain('rel="noreferrer noopener"');
    expect(link).toContain('target="_blank"');
  });

  it("makes links of addresses in the text, but not in code", () => {
    expect(sanitize("<em>https://example.org</em>")).toContain('href="https://example.org');
    expect(sanitize("<code>https://example.org</code>")).not.toContain("href");
  });

  it("splits plain text at its links", () => {
    expect(splitLinks("go to https://a.example/b?c=d. Now")).toEqual([
      { text: "go to " },
      { text: "https://a.example/b?c=d", href: "https://a.example/b?c=d" },
      { text: ". Now" },
    ]);
    expect(splitLinks("")).toEqual([]);
  });

  it("strips the fallback of a reply, and only that", () => {
    expect(stripReplyFallback("> <@a:h> old\n> more\n\nnew\n> kept")).toBe("new\n> kept");
    expect(stripReplyFallback("> only a quote")).toBe("> only a quote");
    expect(stripReplyFallback("plain")).toBe("plain");
  });
});
