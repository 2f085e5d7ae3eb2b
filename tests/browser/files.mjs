// Files to send: made here, so that none lies in the repository.

import { deflateSync } from "node:zlib";

const crcTable = Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let bit = 0; bit < 8; bit += 1) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  return c >>> 0;
});

function crc(bytes) {
  let c = 0xffffffff;
  for (const byte of bytes) c = crcTable[(c ^ byte) & 0xff] ^ (c >>> 8);
  return (c ^ 0xffffffff) >>> 0;
}

function chunk(type, data) {
  const head = Buffer.concat([Buffer.from(type), data]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc(head));
  return Buffer.concat([length, head, sum]);
}

/** A PNG of an evening: sky, sun, hills. */
export function picture(name, width, height, hue = 0) {
  const rows = Buffer.alloc((width * 3 + 1) * height);
  for (let y = 0; y < height; y += 1) {
    const row = y * (width * 3 + 1);
    for (let x = 0; x < width; x += 1) {
      const [r, g, b] = colour(x / width, y / height, hue);
      rows[row + 1 + x * 3] = r;
      rows[row + 2 + x * 3] = g;
      rows[row + 3 + x * 3] = b;
    }
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const buffer = Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk("IHDR", header),
    chunk("IDAT", deflateSync(rows)),
    chunk("IEND", Buffer.alloc(0)),
  ]);
  return { name, mimeType: "image/png", buffer };
}

function colour(x, y, hue) {
  const hill = 0.66 + 0.08 * Math.sin(x * 7 + hue) + 0.05 * Math.sin(x * 17);
  const ridge = 0.8 + 0.06 * Math.sin(x * 5 + 2 + hue);
  if (y > ridge) return [44, 34, 48];
  if (y > hill) return [88, 58, 74];
  const sun = Math.hypot((x - 0.68) * 1.5, y - 0.45) < 0.11;
  if (sun) return [255, 226, 150];
  return [250 - 60 * (0.7 - y), 150 + 80 * y - 20 * hue, 110 + 60 * (0.7 - y)].map((value) => Math.max(0, Math.min(255, Math.round(value))));
}

/** Half a second of a tone as WAV. */
export function sound(name) {
  const rate = 8000;
  const samples = rate / 2;
  const data = Buffer.alloc(44 + samples);
  data.write("RIFF", 0);
  data.writeUInt32LE(36 + samples, 4);
  data.write("WAVEfmt ", 8);
  data.writeUInt32LE(16, 16);
  data.writeUInt16LE(1, 20);
  data.writeUInt16LE(1, 22);
  data.writeUInt32LE(rate, 24);
  data.writeUInt32LE(rate, 28);
  data.writeUInt16LE(1, 32);
  data.writeUInt16LE(8, 34);
  data.write("data", 36);
  data.writeUInt32LE(samples, 40);
  for (let index = 0; index < samples; index += 1) data[44 + index] = 128 + 60 * Math.sin((index * 2 * Math.PI * 440) / rate);
  return { name, mimeType: "audio/wav", buffer: data };
}

export function textFile(name, text) {
  return { name, mimeType: "text/plain", buffer: Buffer.from(text) };
}

/** A second of moving picture, recorded by the browser itself. */
export async function video(page, name) {
  const base64 = await page.evaluate(async () => {
    const canvas = Object.assign(document.createElement("canvas"), { width: 320, height: 180 });
    const context = canvas.getContext("2d");
    const draw = (step) => {
      context.fillStyle = "#f0b27a";
      context.fillRect(0, 0, 320, 180);
      for (let wave = 0; wave < 4; wave += 1) {
        context.fillStyle = ["#5d8aa8", "#4a7b9d", "#356a8a", "#22577a"][wave];
        context.beginPath();
        for (let x = 0; x <= 320; x += 8) context.lineTo(x, 90 + wave * 22 + 8 * Math.sin(x / 30 + wave + step / 4));
        context.lineTo(320, 180);
        context.lineTo(0, 180);
        context.fill();
      }
    };
    draw(0);
    const recorder = new MediaRecorder(canvas.captureStream(25), { mimeType: "video/webm;codecs=vp8" });
    const parts = [];
    recorder.ondataavailable = ({ data }) => parts.push(data);
    const done = new Promise((resolve) => (recorder.onstop = resolve));
    recorder.start();
    for (let step = 1; step <= 25; step += 1) {
      draw(step);
      await new Promise((next) => setTimeout(next, 40));
    }
    recorder.stop();
    await done;
    const bytes = new Uint8Array(await new Blob(parts).arrayBuffer());
    return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
  });
  return { name, mimeType: "video/webm", buffer: Buffer.from(base64, "base64") };
}
