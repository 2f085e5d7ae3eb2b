// Pictures to send: PNG files made here, so that none has to be kept.

import { crc32, deflateSync } from "node:zlib";

const SIGNATURE = Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]);

/// A PNG of that size in which no two neighbours are alike.
export function makePng(width, height) {
    const rows = Array.from({ length: height }, (_, y) =>
        Buffer.from([0, ...Array.from({ length: width }, (_, x) => [x & 255, y & 255, (x ^ y) & 255]).flat()]));
    const header = Buffer.alloc(13);
    header.writeUInt32BE(width, 0);
    header.writeUInt32BE(height, 4);
    header.set([8, 2], 8); // Eight bits a colour, red green blue.
    return Buffer.concat([
        SIGNATURE, chunk("IHDR", header), chunk("IDAT", deflateSync(Buffer.concat(rows))), chunk("IEND", Buffer.alloc(0)),
    ]);
}

function chunk(kind, data) {
    const body = Buffer.concat([Buffer.from(kind), data]);
    const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(data.length);
    sum.writeUInt32BE(crc32(body));
    return Buffer.concat([length, body, sum]);
}

/// The width and height that a PNG or a JPEG says it has.
export function sizeOfPicture(bytes) {
    const file = Buffer.from(bytes);
    if (file.subarray(0, 8).equals(SIGNATURE)) return [file.readUInt32BE(16), file.readUInt32BE(20)];
    for (let at = 2; at + 9 < file.length && file[at] === 0xff; at += 2 + file.readUInt16BE(at + 2)) {
        const isFrame = file[at + 1] >= 0xc0 && file[at + 1] <= 0xc2;
        if (isFrame) return [file.readUInt16BE(at + 7), file.readUInt16BE(at + 5)];
    }
    throw new Error(`neither PNG nor JPEG: ${file.subarray(0, 12).toString("hex")}`);
}
