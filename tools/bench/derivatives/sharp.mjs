// sharp, as it is used by most and as it can be used at best, asked one job at a time: see ask.py for the protocol.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import sharp from 'sharp';

sharp.cache(false);
sharp.concurrency(Number(process.env.VIPS_CONCURRENCY));

const webp = { quality: 80, effort: 4 };
// As Pillow writes it; by default sharp spends a second pass on smaller tables, for fewer bytes than were asked for.
const jpeg = { quality: 90, chromaSubsampling: '4:2:0', optimiseCoding: false };

const within = (side) => ({ width: side, height: side, fit: 'inside', withoutEnlargement: true });
const cover = (size, fastShrinkOnLoad = true) => ({ width: size.width, height: size.height, fit: 'cover', fastShrinkOnLoad });
const again = ({ data, info }) => sharp(data, { raw: { width: info.width, height: info.height, channels: info.channels } });
const raw = (pipeline) => pipeline.raw().toBuffer({ resolveWithObject: true });
const master = (pipeline, hasAlpha) => (hasAlpha ? pipeline.webp({ quality: 90, effort: 0 }) : pipeline.jpeg(jpeg)).toBuffer();

// One pipeline for each size, each with the whole file.
const usual = (fastShrinkOnLoad) => async (file, job) => {
  const made = job.sizes.map((size) => sharp(file).autoOrient().resize(cover(size, fastShrinkOnLoad)).webp(webp).toBuffer());
  if (job.master) {
    const { hasAlpha } = await sharp(file).metadata();
    made.push(master(sharp(file).autoOrient().resize({ ...within(job.master), fastShrinkOnLoad }), hasAlpha));
  }
  return Promise.all(made);
};

// Decoded once: to the master where one is wanted, else to the largest size; the others from that, in memory.
const best = (fastShrinkOnLoad) => async (file, job) => {
  const [largest, ...others] = job.sizes;
  let whole;
  let first;
  if (job.master) {
    whole = await raw(sharp(file).autoOrient().resize({ ...within(job.master), fastShrinkOnLoad }));
    first = await raw(again(whole).resize(cover(largest)));
  } else {
    first = await raw(sharp(file).autoOrient().resize(cover(largest, fastShrinkOnLoad)));
  }
  const made = [again(first).webp(webp).toBuffer()];
  made.push(...others.map((size) => again(first).resize(cover(size)).webp(webp).toBuffer()));
  if (whole) made.push(master(again(whole), whole.info.channels === 4));
  return Promise.all(made);
};

const contenders = {
  'sharp, usual': usual(true),
  'sharp, usual, high quality': usual(false),
  'sharp, best': best(true),
  'sharp, best, high quality': best(false),
};

const peak = () => Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]);

const files = new Map();
for await (const line of createInterface({ input: process.stdin })) {
  const { contender, path, job, out } = JSON.parse(line);
  if (!files.has(path)) files.set(path, readFileSync(path));
  const file = files.get(path);
  const began = process.hrtime.bigint();
  const before = process.cpuUsage();
  const made = await contenders[contender](file, job);
  const used = process.cpuUsage(before);
  const wall = Number(process.hrtime.bigint() - began) / 1e6;
  if (out) made.forEach((content, at) => writeFileSync(join(out, job.names[at]), content));
  const answer = { cpu: (used.user + used.system) / 1e3, wall, peak: peak(), bytes: made.map((content) => content.length) };
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
