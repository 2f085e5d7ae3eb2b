// Files: where they are fetched from, how they are made ready and sent.

import { signal } from "@preact/signals";
import { MsgType, type MatrixClient } from "matrix-js-sdk/lib/matrix";

const THUMBNAIL_PX = 800;
const PREVIEW_READ_MS_MAX = 10_000;

/** The authenticated address of a file. The service worker adds the token. */
export function mediaUrl(mxc: string, size?: { width: number; height: number; method?: "crop" | "scale" }): string | undefined {
  const match = /^mxc:\/\/([^/?#]+)\/([A-Za-z0-9_-]+)$/.exec(mxc);
  if (!match) return undefined;
  const where = `${encodeURIComponent(match[1]!)}/${match[2]}`;
  if (!size) return `${location.origin}/_matrix/client/v1/media/download/${where}`;
  const query = new URLSearchParams({
    width: String(size.width),
    height: String(size.height),
    method: size.method ?? "scale",
  });
  return `${location.origin}/_matrix/client/v1/media/thumbnail/${where}?${query.toString()}`;
}

/** A file on its way. */
export interface Upload {
  id: number;
  roomId: string;
  file: File;
  /** 0 to 1. */
  progress: number;
  error: string | undefined;
}

export class Uploads {
  readonly list = signal<Upload[]>([]);
  private lastId = 0;
  private readonly aborts = new Map<number, AbortController>();
  /** Files of one room go out one after the other, in the order in which they were chosen. */
  private readonly chains = new Map<string, Promise<void>>();

  constructor(
    private readonly client: MatrixClient,
    private readonly send: (roomId: string, content: Record<string, unknown>) => void,
  ) {}

  /** Uploads a file, then sends its message. */
  add(roomId: string, file: File, caption: string): void {
    this.lastId += 1;
    const id = this.lastId;
    this.list.value = [...this.list.value, { id, roomId, file, progress: 0, error: undefined }];
    this.begin(id, roomId, file, caption);
  }

  retry(id: number): void {
    const upload = this.list.value.find((entry) => entry.id === id);
    if (!upload) return;
    this.change(id, { error: undefined, progress: 0 });
    this.begin(id, upload.roomId, upload.file, "");
  }

  cancel(id: number): void {
    this.aborts.get(id)?.abort();
    this.list.value = this.list.value.filter((entry) => entry.id !== id);
  }

  private begin(id: number, roomId: string, file: File, caption: string): void {
    const before = this.chains.get(roomId) ?? Promise.resolve();
    this.chains.set(
      roomId,
      before.then(() => this.run(id, roomId, file, caption)),
    );
  }

  private async run(id: number, roomId: string, file: File, caption: string): Promise<void> {
    if (!this.list.value.some((entry) => entry.id === id)) return;
    const abort = new AbortController();
    this.aborts.set(id, abort);
    try {
      const info = await describeFile(file);
      const { content_uri: url } = await this.client.uploadContent(file, {
        name: file.name,
        type: file.type || "application/octet-stream",
        abortController: abort,
        progressHandler: ({ loaded, total }) => this.change(id, { progress: total > 0 ? loaded / total : 0 }),
      });
      this.send(roomId, fileContent(file, url, info, caption));
      this.list.value = this.list.value.filter((entry) => entry.id !== id);
    } catch (error) {
      this.change(id, { error: uploadError(error) });
    } finally {
      this.aborts.delete(id);
    }
  }

  private change(id: number, change: Partial<Upload>): void {
    this.list.value = this.list.value.map((entry) => (entry.id === id ? { ...entry, ...change } : entry));
  }
}

function uploadError(error: unknown): string {
  const errcode = (error as { errcode?: string }).errcode;
  if (errcode === "M_TOO_LARGE") return "The file is larger than this server takes.";
  return error instanceof Error && error.message ? error.message : "It could not be sent.";
}

interface FileInfo {
  w?: number;
  h?: number;
  duration?: number;
}

/** The message of an uploaded file. */
export function fileContent(file: File, url: string, info: FileInfo, caption: string): Record<string, unknown> {
  const kind = file.type.split("/")[0];
  const msgtype =
    kind === "image" && info.w ? MsgType.Image : kind === "video" && info.w ? MsgType.Video : kind === "audio" ? MsgType.Audio : MsgType.File;
  return {
    msgtype,
    body: caption || file.name,
    filename: file.name,
    url,
    info: { mimetype: file.type || "application/octet-stream", size: file.size, ...info },
  };
}

/** Sizes and length, as far as this browser can read the file. */
async function describeFile(file: File): Promise<FileInfo> {
  const kind = file.type.split("/")[0];
  const url = URL.createObjectURL(file);
  try {
    if (kind === "image") return await describeImage(url);
    if (kind === "video" || kind === "audio") return await describePlayable(url, kind);
    return {};
  } catch {
    return {}; // It is sent as a plain file.
  } finally {
    URL.revokeObjectURL(url);
  }
}

async function describeImage(url: string): Promise<FileInfo> {
  const image = new Image();
  image.src = url;
  await image.decode();
  return { w: image.naturalWidth, h: image.naturalHeight };
}

function describePlayable(url: string, kind: "video" | "audio"): Promise<FileInfo> {
  return new Promise((resolve, reject) => {
    const element = document.createElement(kind);
    const timer = setTimeout(() => reject(new Error("unreadable")), PREVIEW_READ_MS_MAX);
    element.preload = "metadata";
    element.onloadedmetadata = () => {
      clearTimeout(timer);
      const info: FileInfo = {};
      if (Number.isFinite(element.duration)) info.duration = Math.round(element.duration * 1000);
      if (element instanceof HTMLVideoElement) Object.assign(info, { w: element.videoWidth, h: element.videoHeight });
      resolve(info);
    };
    element.onerror = () => {
      clearTimeout(timer);
      reject(new Error("unreadable"));
    };
    element.src = url;
  });
}

/** The size at which a picture is shown in the timeline. */
export function shownSize(width: number | undefined, height: number | undefined): { width: number; height: number } {
  const most = { width: 360, height: 320 };
  if (!width || !height) return { width: 280, height: 200 };
  const scale = Math.min(1, most.width / width, most.height / height);
  return { width: Math.max(60, Math.round(width * scale)), height: Math.max(40, Math.round(height * scale)) };
}

/** The thumbnail that is asked for: sharp on dense screens too. */
export const THUMBNAIL = { width: THUMBNAIL_PX, height: THUMBNAIL_PX, method: "scale" as const };

// -- The service worker -------------------------------------------------------------------------

/** Whether media addresses can stand in the page as they are. Without a worker they are fetched as blobs. */
export const workerReady = signal(false);

/** Registers the worker that adds the token to requests for media, and answers when it asks for it. */
export function startMediaWorker(token: () => string | undefined): void {
  if (!("serviceWorker" in navigator)) return;
  const { serviceWorker } = navigator;
  serviceWorker.addEventListener("message", (event: MessageEvent<{ ask?: string }>) => {
    if (event.data.ask === "token") event.ports[0]?.postMessage({ token: token() });
  });
  const update = (): void => {
    workerReady.value = serviceWorker.controller !== null;
  };
  serviceWorker.addEventListener("controllerchange", update);
  serviceWorker.register("./media-worker.js").then(update, () => undefined);
  update();
}

const BLOBS_MAX = 200;
const blobs = new Map<string, Promise<string>>();

/** The file behind an authenticated address, as an address of its own in this page. */
export function fetchBlobUrl(url: string, token: string): Promise<string> {
  const known = blobs.get(url);
  if (known) return known;
  const made = fetchBlob(url, token).then((blob) => URL.createObjectURL(blob));
  made.catch(() => blobs.delete(url));
  if (blobs.size >= BLOBS_MAX) {
    const [oldest, address] = blobs.entries().next().value!;
    blobs.delete(oldest);
    address.then((at) => URL.revokeObjectURL(at)).catch(() => undefined);
  }
  blobs.set(url, made);
  return made;
}

export async function fetchBlob(url: string, token: string): Promise<Blob> {
  const response = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
  if (!response.ok) throw new Error(`The server answered ${response.status}.`);
  return response.blob();
}

/** Saves a file under its name. */
export async function download(mxc: string, name: string, token: string): Promise<void> {
  const url = mediaUrl(mxc);
  if (!url) throw new Error("This file has no address.");
  const address = URL.createObjectURL(await fetchBlob(url, token));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}
