import { TextDecoder } from 'node:util'
import { BailiffError, quote } from '../../errors.ts'

/** The text of the bytes of a line; what cannot be decoded becomes U+FFFD, as often as Python says it. */
export type DecodeLine = (bytes: Buffer) => string

/**
 * How lines in an encoding are decoded, by the name that Python has for it; `auto` is UTF-8. Throws a BailiffError for
 * an encoding that is not known, and for one in which a line cannot be told from the next by its bytes.
 */
export function lineDecoder(encoding: string): DecodeLine {
  const name = encoding.trim().toLowerCase().replaceAll('_', '-')
  if (/^(?:auto|utf-?8|u8|cp65001)$/.test(name)) return (bytes) => bytes.toString('utf8')
  if (/^(?:ascii|us-ascii|646|ansi-x3\.4-1968)$/.test(name)) return byteDecoder((byte) => (byte < 128 ? byte : unknown))
  if (/^(?:latin-?1|l1|iso-?8859-1|iso88591|8859|cp819)$/.test(name)) return (bytes) => bytes.toString('latin1')
  if (/^(?:utf-?(?:16|32|7)|u16|u32|u7|iso-?2022|hz)/.test(name))
    throw unreadable(encoding, 'has lines that cannot be cut')
  return namedDecoder(name, encoding)
}

const unknown = 0xfffd
const hint = 'name one that Python knows, such as utf-8, latin-1 or cp1252; auto is utf-8'

function namedDecoder(name: string, encoding: string): DecodeLine {
  const label = name
    .replace(/^(?:cp|windows)-?(125\d|874)$/, 'windows-$1')
    .replace(/^iso-?8859-?(\d+)$/, 'iso-8859-$1')
    .replace(/^cp866$/, 'ibm866')
    .replace(/^(?:cp932|ms932|shift-jis|sjis)$/, 'shift_jis')
    .replace(/^cp936$/, 'gbk')
    .replace(/^cp949$/, 'euc-kr')
  const decoder = decoderFor(label, encoding)
  if (!/^(?:windows-|iso-8859-|koi8-|ibm866|macintosh|mac-)/.test(label)) return (bytes) => decoder.decode(bytes)
  // The standard of the web fills gaps of these with control characters, and calls ISO's by the names of Windows'.
  return byteDecoder((byte) => {
    const code = decoder.decode(Uint8Array.of(byte)).codePointAt(0) ?? unknown
    if (byte < 0x80 || byte > 0x9f) return code
    return label.startsWith('iso-') ? byte : code < 0xa0 && label.startsWith('windows-') ? unknown : code
  })
}

function decoderFor(label: string, encoding: string): TextDecoder {
  try {
    return new TextDecoder(label, { ignoreBOM: true })
  } catch (cause) {
    throw unreadable(encoding, 'is not known', cause)
  }
}

function unreadable(encoding: string, why: string, cause?: unknown): BailiffError {
  return new BailiffError('config', `the encoding ${quote(encoding)} ${why}`, { hint, cause })
}

function byteDecoder(codeOf: (byte: number) => number): DecodeLine {
  const characters = Array.from({ length: 256 }, (_, byte) => String.fromCodePoint(codeOf(byte)))
  return (bytes) => {
    let text = ''
    for (const byte of bytes) text += characters[byte] ?? ''
    return text
  }
}
