// Writing: text, emoji, files; replying and editing.

import type { JSX } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";

import type { MessageRow } from "../matrix/rows";
import { EmojiPicker } from "./emoji-picker";
import { Icon } from "./icons";
import { IconButton } from "./parts";

/** What the next text is for. */
export type Purpose = { is: "new" } | { is: "reply"; to: MessageRow } | { is: "edit"; of: MessageRow };

interface Props {
  roomId: string;
  roomName: string;
  purpose: Purpose;
  onPurpose: (purpose: Purpose) => void;
  onSend: (text: string, purpose: Purpose) => void;
  onFiles: (files: File[]) => void;
  onTyping: (typing: boolean) => void;
  /** Asks to edit the last own message. */
  onEditLast: () => void;
  allowed: boolean;
}

const TEXT_CHARS_MAX = 30_000;
const HEIGHT_PX_MAX = 180;
/** What was begun in a room stays while the page is open. */
const drafts = new Map<string, string>();

export function Composer(props: Props): JSX.Element {
  const { purpose, roomId } = props;
  const area = useRef<HTMLTextAreaElement>(null);
  const files = useRef<HTMLInputElement>(null);
  const emojiButton = useRef<HTMLDivElement>(null);
  const [text, setText] = useState(drafts.get(roomId) ?? "");
  const [picking, setPicking] = useState(false);

  // Before anything is painted or typed: a key pressed at once belongs to the text that is edited.
  useLayoutEffect(() => {
    if (purpose.is === "edit" && purpose.of.body.type === "text") setText(purpose.of.body.text);
    if (purpose.is !== "new") area.current?.focus();
  }, [purpose]);
  useEffect(() => {
    if (matchMedia("(pointer: fine)").matches) area.current?.focus();
  }, [roomId]);
  useLayoutEffect(() => {
    const element = area.current;
    if (!element) return;
    element.style.height = "auto";
    element.style.height = `${Math.min(HEIGHT_PX_MAX, element.scrollHeight)}px`;
  }, [text]);

  const change = (value: string): void => {
    setText(value);
    if (purpose.is !== "edit") drafts.set(roomId, value);
    props.onTyping(value.trim() !== "" && purpose.is !== "edit");
  };
  const cancel = (): void => {
    if (purpose.is === "edit") setText(drafts.get(roomId) ?? "");
    props.onPurpose({ is: "new" });
  };
  const send = (): void => {
    const typed = text.trim();
    if (!typed) return;
    props.onSend(typed, purpose);
    props.onTyping(false);
    if (purpose.is === "edit") {
      setText(drafts.get(roomId) ?? "");
    } else {
      drafts.delete(roomId);
      setText("");
    }
    props.onPurpose({ is: "new" });
    area.current?.focus();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      send();
    } else if (event.key === "Escape" && purpose.is !== "new") {
      event.preventDefault();
      cancel();
    } else if (event.key === "ArrowUp" && text === "" && purpose.is === "new") {
      event.preventDefault();
      props.onEditLast();
    }
  };
  const insert = (emoji: string): void => {
    const element = area.current!;
    const at = element.selectionStart ?? text.length;
    // At once: a key that is pressed in the same moment belongs to the text.
    element.focus();
    change(text.slice(0, at) + emoji + text.slice(element.selectionEnd ?? at));
    setPicking(false);
    requestAnimationFrame(() => element.setSelectionRange(at + emoji.length, at + emoji.length));
  };

  if (!props.allowed) {
    return <p class="composer composer-closed">You are not allowed to write here.</p>;
  }
  return (
    <form
      class="composer"
      aria-label="Write a message"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      {purpose.is !== "new" && <PurposeBar purpose={purpose} onCancel={cancel} />}
      <div class="composer-line">
        <IconButton icon="clip" label="Send files" onClick={() => files.current?.click()} />
        <textarea
          ref={area}
          rows={1}
          value={text}
          maxLength={TEXT_CHARS_MAX}
          placeholder="Write a message"
          aria-label={`Message to ${props.roomName}`}
          dir="auto"
          onInput={(event) => change(event.currentTarget.value)}
          onKeyDown={onKeyDown}
          onPaste={(event) => {
            const pasted = [...(event.clipboardData?.files ?? [])];
            if (pasted.length === 0) return;
            event.preventDefault();
            props.onFiles(pasted);
          }}
        />
        <div ref={emojiButton} class="composer-emoji">
          <IconButton icon="smile" label="Insert an emoji" aria-expanded={picking} onClick={() => setPicking(!picking)} />
        </div>
        <button class="send-button" aria-label="Send" title="Send" disabled={text.trim() === ""}>
          <Icon name={purpose.is === "edit" ? "check" : "send"} />
        </button>
      </div>
      <input
        ref={files}
        type="file"
        multiple
        hidden
        aria-label="Files to send"
        onChange={(event) => {
          const chosen = [...(event.currentTarget.files ?? [])];
          event.currentTarget.value = "";
          if (chosen.length > 0) props.onFiles(chosen);
        }}
      />
      {picking && <EmojiPicker beside={emojiButton.current ?? undefined} onPick={insert} onClose={() => setPicking(false)} />}
    </form>
  );
}

function PurposeBar({ purpose, onCancel }: { purpose: Exclude<Purpose, { is: "new" }>; onCancel: () => void }): JSX.Element {
  const row = purpose.is === "reply" ? purpose.to : purpose.of;
  const text = row.body.type === "text" ? row.body.text : "media" in row.body ? row.body.media.name : "";
  return (
    <div class="purpose">
      <Icon name={purpose.is === "reply" ? "reply" : "edit"} size={18} />
      <div class="purpose-text">
        <span class="purpose-title">{purpose.is === "reply" ? `Reply to ${row.own ? "yourself" : row.senderName}` : "Edit message"}</span>
        <span class="purpose-quote">{text}</span>
      </div>
      <IconButton icon="close" label="Cancel" onClick={onCancel} />
    </div>
  );
}
