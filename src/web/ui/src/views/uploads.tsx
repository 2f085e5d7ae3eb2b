// Files on their way, with how far they are.

import type { JSX } from "preact";

import { fileSize } from "../matrix/names";
import type { Uploads } from "../matrix/media";
import { Icon } from "./icons";
import { IconButton } from "./parts";

export function UploadBars({ uploads, roomId }: { uploads: Uploads; roomId: string }): JSX.Element | null {
  const mine = uploads.list.value.filter((upload) => upload.roomId === roomId);
  if (mine.length === 0) return null;
  return (
    <ul class="uploads" aria-label="Files being sent">
      {mine.map((upload) => (
        <li key={upload.id} class={`upload ${upload.error ? "upload-failed" : ""}`}>
          <Icon name={upload.error ? "alert" : "file"} size={18} />
          <span class="upload-text">
            <span class="upload-name">{upload.file.name}</span>
            {upload.error ? (
              <span class="upload-note" role="alert">
                {upload.error}
              </span>
            ) : (
              <progress value={upload.progress} max={1} aria-label={`${upload.file.name}, ${fileSize(upload.file.size)}`} />
            )}
          </span>
          {upload.error && <IconButton icon="retry" label="Try again" onClick={() => uploads.retry(upload.id)} />}
          <IconButton icon="close" label="Cancel" onClick={() => uploads.cancel(upload.id)} />
        </li>
      ))}
    </ul>
  );
}
