import { BailiffError, quote } from '../errors.ts'

/** What a compressed file begins with, in hexadecimal digits, and what unpacks it: RFC 1952, RFC 8878, the formats of xz and bzip2. */
const formats: readonly (readonly [begins: RegExp, name: string, unpack: string])[] = [
  [/^1f8b/, 'gzip', 'zcat'],
  [/^fd377a585a00/, 'xz', 'xzcat'],
  [/^28b52ffd/, 'zstd', 'zstdcat'],
  // "BZh", a digit, and the first block or, where nothing was packed, the end.
  [/^425a683[1-9](?:314159265359|177245385090)/, 'bzip2', 'bzcat'],
]

/** Throws a BailiffError where the first bytes of a log say that it is compressed: no line of it could match. `-` is standard input. */
export function refuseCompressed(log: string, bytes: Uint8Array): void {
  const start = Buffer.from(bytes.subarray(0, 10)).toString('hex')
  const [, name, unpack] = formats.find(([begins]) => begins.test(start)) ?? []
  if (name === undefined) return
  const what = log === '-' ? 'standard input' : quote(log)
  throw new BailiffError('data', `${what} is compressed with ${name}; lines are read as they stand`, {
    hint: `${unpack} ${log === '-' ? 'FILE' : log} | bailiff test FILTER -`,
  })
}
