import { BailiffError, quote } from '../errors.ts'

/** How a log is compressed. */
export interface Compression {
  readonly name: string
  /** What unpacks it by hand. */
  readonly unpack: string
  /** The program that unpacks standard input to standard output; null: Node does. */
  readonly program: readonly [string, ...string[]] | null
  /** The Debian package that has the program. */
  readonly debian: string
}

/** What a compressed file begins with, in hexadecimal digits: RFC 1952, RFC 8878, the formats of xz and bzip2. */
const formats: readonly (readonly [begins: RegExp, compression: Compression])[] = [
  [/^1f8b/, { name: 'gzip', unpack: 'zcat', program: null, debian: 'gzip' }],
  [/^fd377a585a00/, { name: 'xz', unpack: 'xzcat', program: ['xz', '-dc'], debian: 'xz-utils' }],
  [/^28b52ffd/, { name: 'zstd', unpack: 'zstdcat', program: ['zstd', '-dcq'], debian: 'zstd' }],
  // "BZh", a digit, and the first block or, where nothing was packed, the end.
  [
    /^425a683[1-9](?:314159265359|177245385090)/,
    { name: 'bzip2', unpack: 'bzcat', program: ['bzip2', '-dc'], debian: 'bzip2' },
  ],
]

/** How the log is compressed that begins with these bytes; null: it is not. */
export function compressionOf(bytes: Uint8Array): Compression | null {
  const start = Buffer.from(bytes.subarray(0, 10)).toString('hex')
  return formats.find(([begins]) => begins.test(start))?.[1] ?? null
}

/** Throws a BailiffError where the first bytes of a log say that it is compressed: no line of it could match. `-` is standard input. */
export function refuseCompressed(log: string, bytes: Uint8Array): void {
  const found = compressionOf(bytes)
  if (found === null) return
  const what = log === '-' ? 'standard input' : quote(log)
  throw new BailiffError('data', `${what} is compressed with ${found.name}; lines are read as they stand`, {
    hint: `${found.unpack} ${log === '-' ? 'FILE' : log} | bailiff test FILTER -`,
  })
}
