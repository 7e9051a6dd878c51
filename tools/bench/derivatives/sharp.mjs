// sharp, as most people use it and at its best. It does one job per line of standard input; ask.py describes the protocol.
//
//     node sharp.mjs CONTENDER

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import sharp from 'sharp';

sharp.cache(false);
sharp.concurrency(1);

// As Pillow writes the master. sharp's default spends a second pass on smaller Huffman tables.
const jpeg = { quality: 90, chromaSubsampling: '4:2:0', optimiseCoding: false };

const cover = (size, fastShrinkOnLoad = true) => ({ width: size.width, height: size.height, fit: 'cover', fastShrinkOnLoad });
const within = (side) => ({ width: side, height: side, fit: 'inside', withoutEnlargement: true });
const again = ({ data, info }) => sharp(data, { raw: { width: info.width, height: info.height, channels: info.channels } });
const raw = (pipeline) => pipeline.raw().toBuffer({ resolveWithObject: true });

// One pipeline per size, each from the whole file.
const usual = async (file, { sizes, quality, master_side: side }) => {
  const made = sizes.map((size) => sharp(file).autoOrient().resize(cover(size)).webp({ quality, effort: 4 }).toBuffer());
  if (side) made.push(sharp(file).autoOrient().resize(within(side)).jpeg(jpeg).toBuffer());
  return Promise.all(made);
};

// Decoded once, to the master or else the largest size. The other sizes are made from that in memory.
const best = (fastShrinkOnLoad) => async (file, { sizes, quality, master_side: side }) => {
  const [largest, ...others] = sizes;
  const webp = (pipeline) => pipeline.webp({ quality, effort: 4 }).toBuffer();
  const whole = side && await raw(sharp(file).autoOrient().resize({ ...within(side), fastShrinkOnLoad }));
  const first = await raw(whole ? again(whole).resize(cover(largest)) : sharp(file).autoOrient().resize(cover(largest, fastShrinkOnLoad)));
  const made = [webp(again(first)), ...others.map((size) => webp(again(first).resize(cover(size))))];
  if (whole) made.push(again(whole).jpeg(jpeg).toBuffer());
  return Promise.all(made);
};

const contenders = { 'sharp, usual': usual, 'sharp, best': best(true), 'sharp, best, high quality': best(false) };
const make = contenders[process.argv[2]];
const files = new Map();

for await (const line of createInterface({ input: process.stdin })) {
  const asked = JSON.parse(line);
  if (!files.has(asked.path)) files.set(asked.path, readFileSync(asked.path));
  const file = files.get(asked.path);
  const start = process.hrtime.bigint();
  const before = process.cpuUsage();
  const made = await make(file, asked);
  const used = process.cpuUsage(before);
  const wall = Number(process.hrtime.bigint() - start) / 1e6;
  if (asked.out) made.forEach((content, at) => writeFileSync(join(asked.out, asked.names[at]), content));
  const answer = { cpu: (used.user + used.system) / 1e3, wall, bytes: made.map((content) => content.length) };
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
