// Dialogs of a conversation: deleting, files before they are sent, a picture in full.

import type { JSX } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";

import { download } from "../matrix/media";
import { exactTime, fileSize } from "../matrix/names";
import type { MediaInfo } from "../matrix/rows";
import { running } from "../state/app";
import { toastError } from "../state/toasts";
import { Icon } from "./icons";
import { Dialog, IconButton, Spinner, useMedia } from "./parts";

export function ConfirmDelete({ onConfirm, onClose }: { onConfirm: () => void; onClose: () => void }): JSX.Element {
  return (
    <Dialog title="Delete this message?" onClose={onClose}>
      <p>It is deleted for everyone. A placeholder stays in its place.</p>
      <div class="dialog-buttons">
        <button type="button" class="button" onClick={onClose} autofocus>
          Keep it
        </button>
        <button type="button" class="button button-danger" onClick={onConfirm}>
          Delete
        </button>
      </div>
    </Dialog>
  );
}

interface FilePreviewProps {
  files: File[];
  onSend: (files: File[], caption: string) => void;
  onClose: () => void;
}

export function FilePreview({ files, onSend, onClose }: FilePreviewProps): JSX.Element {
  const [caption, setCaption] = useState("");
  const title = files.length === 1 ? "Send this file?" : `Send ${files.length} files?`;
  return (
    <Dialog title={title} onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          onSend(files, caption.trim());
        }}
      >
        <ul class="file-previews">
          {files.map((file, index) => (
            <li key={index} class="file-preview">
              <LocalPreview file={file} />
              <span class="file-text">
                <span class="file-name">{file.name}</span>
                <span class="file-size">{fileSize(file.size)}</span>
              </span>
            </li>
          ))}
        </ul>
        <input class="caption" value={caption} placeholder="Add a caption" aria-label="Caption" maxLength={2000} autofocus onInput={(event) => setCaption(event.currentTarget.value)} />
        <div class="dialog-buttons">
          <button type="button" class="button" onClick={onClose}>
            Cancel
          </button>
          <button class="button button-main">Send</button>
        </div>
      </form>
    </Dialog>
  );
}

function LocalPreview({ file }: { file: File }): JSX.Element {
  const kind = file.type.split("/")[0];
  const url = useMemo(() => (kind === "image" || kind === "video" ? URL.createObjectURL(file) : undefined), [file, kind]);
  useEffect(() => () => (url ? URL.revokeObjectURL(url) : undefined), [url]);
  if (kind === "image" && url) return <img class="local-preview" src={url} alt="" />;
  if (kind === "video" && url) return <video class="local-preview" src={url} muted aria-hidden="true" />;
  return (
    <span class="file-icon">
      <Icon name={kind === "audio" ? "music" : "file"} />
    </span>
  );
}

interface ViewerProps {
  media: MediaInfo;
  sender: string;
  ms: number;
  onClose: () => void;
}

/** A picture over the whole window. */
export function ImageViewer({ media, sender, ms, onClose }: ViewerProps): JSX.Element {
  const ref = useRef<HTMLDialogElement>(null);
  // The browser tells of our own closing too, when something else may be open already.
  const showing = useRef(false);
  const url = useMedia(media.mxc);
  const [loaded, setLoaded] = useState(false);
  useEffect(() => {
    const dialog = ref.current!;
    const before = document.activeElement as HTMLElement | null;
    showing.current = true;
    dialog.showModal();
    return () => {
      showing.current = false;
      dialog.close();
      before?.focus?.();
    };
  }, []);
  const save = (): void => {
    download(media.mxc, media.name, running.value?.session.accessToken ?? "").catch((error: unknown) => toastError("The picture could not be saved.", error));
  };
  return (
    <dialog
      ref={ref}
      class="viewer"
      aria-label={`Picture ${media.name}`}
      onKeyDown={(event) => {
        // In a field for searching, the browser would only empty it.
        if (event.key !== "Escape" || event.isComposing) return;
        event.preventDefault();
        onClose();
      }}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClose={() => showing.current && onClose()}
      onClick={(event) => {
        if (!(event.target as Element).closest("img, .viewer-head")) onClose();
      }}
    >
      <header class="viewer-head">
        <span class="viewer-text">
          <b>{sender}</b>
          <span>
            {media.name} · {exactTime(ms)}
          </span>
        </span>
        <IconButton icon="download" label="Download" onClick={save} />
        <IconButton icon="close" label="Close" onClick={onClose} />
      </header>
      <div class="viewer-stage">
        {!loaded && <Spinner />}
        {url && <img src={url} alt={media.caption ?? media.name} onLoad={() => setLoaded(true)} />}
      </div>
    </dialog>
  );
}
