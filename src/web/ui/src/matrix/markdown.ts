// What is typed becomes a message: Markdown to HTML, and plain text beside it.

import { Marked } from "marked";

const marked = new Marked({
  gfm: true,
  breaks: true,
  async: false,
  // Typed tags are text, not HTML: whoever types <b> means these three characters.
  tokenizer: {
    html: () => undefined,
    tag: () => undefined,
  },
});

/** The HTML of what was typed, or `undefined` where plain text says the same. */
export function toHtml(text: string): string | undefined {
  const html = (marked.parse(text) as string).trim();
  const inner = /^<p>([\s\S]*)<\/p>$/.exec(html)?.[1];
  if (inner !== undefined && !inner.includes("<p>")) {
    // Links are made where they are shown, from plain text too.
    const bare = inner.replace(/<a href="([^"]*)">\1<\/a>/g, "$1").replace(/<br>\n?/g, "\n");
    if (!bare.includes("<")) return undefined;
    return inner;
  }
  return html;
}
