import { TextDecoder } from 'node:util'
import { BailiffError, quote } from '../../errors.ts'

/** The text of the bytes of a line; what cannot be decoded becomes U+FFFD, as often as Python says it. */
export type DecodeLine = (bytes: Buffer) => string

/**
 * How lines in an encoding are decoded, by the name that Python has for it; `auto` is UTF-8. Throws a BailiffError for
 * an encoding that is not known, and for one in which a line cannot be told from the next by its bytes (of UTF-16:
 * `WideLines`).
 */
export function lineDecoder(encoding: string): DecodeLine {
  const name = encoding.trim().toLowerCase().replaceAll('_', '-')
  if (/^(?:auto|utf-?8|u8|cp65001)$/.test(name)) return (bytes) => bytes.toString('utf8')
  if (/^(?:ascii|us-ascii|646|ansi-x3\.4-1968)$/.test(name)) return byteDecoder((byte) => (byte < 128 ? byte : unknown))
  if (/^(?:latin-?1|l1|iso-?8859-1|iso88591|8859|cp819)$/.test(name)) return (bytes) => bytes.toString('latin1')
  if (/^utf-?8-sig$/.test(name)) return (bytes) => bytes.toString('utf8').replace(/^\ufeff/, '')
  if (/^(?:utf-?(?:16|32|7)|u16|u32|u7|iso-?2022|hz)/.test(name))
    throw unreadable(encoding, 'has lines that cannot be cut')
  return namedDecoder(name, encoding)
}

const unknown = 0xfffd
/** What 0x80 to 0x9f are; 0xfffd where they are nothing (https://www.unicode.org/Public/MAPPINGS/VENDORS/MICSFT/WINDOWS/CP1252.TXT). */
const windows1252 = [
  0x20ac, 0xfffd, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0xfffd,
  0x017d, 0xfffd, 0xfffd, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a,
  0x0153, 0xfffd, 0x017e, 0x0178,
]
const hint = 'name one that Python knows, such as utf-8, latin-1 or cp1252; auto is utf-8'

function namedDecoder(name: string, encoding: string): DecodeLine {
  const label = name
    .replace(/^(?:cp|windows)-?(125\d|874)$/, 'windows-$1')
    .replace(/^iso-?8859-?(\d+)$/, 'iso-8859-$1')
    .replace(/^cp866$/, 'ibm866')
    .replace(/^(?:cp932|ms932|shift-jis|sjis)$/, 'shift_jis')
    .replace(/^cp936$/, 'gbk')
    .replace(/^cp949$/, 'euc-kr')
  // Node 20 takes this one for Latin-1.
  if (label === 'windows-1252')
    return byteDecoder((byte) => (byte < 0x80 || byte > 0x9f ? byte : (windows1252[byte - 0x80] ?? unknown)))
  const decoder = decoderFor(label, encoding)
  if (!/^(?:windows-|iso-8859-|koi8-|ibm866|macintosh|mac-)/.test(label)) return (bytes) => decoder.decode(bytes)
  // Its gaps are filled with control characters and private ones, and ISO's are called by the names of Windows'.
  return byteDecoder((byte) => {
    if (byte < 0x80) return byte
    const code = decoder.decode(Uint8Array.of(byte)).codePointAt(0) ?? unknown
    if (byte <= 0x9f && label.startsWith('iso-')) return byte
    return (code < 0xa0 && label.startsWith('windows-')) || (code >= 0xe000 && code <= 0xf8ff) ? unknown : code
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
