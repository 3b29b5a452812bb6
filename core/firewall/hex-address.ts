/**
 * Addresses between the wire, where they are hexadecimal digits, and nft, where they are text. Written
 * by hand because the helper runs without a compiler (`--jitless`) and turns whole lists over at once.
 */

/** `c0000201` as `192.0.2.1`, 32 digits as eight groups (`2001:0db8:…`), which nft reads as it reads the short form. */
export function hexToText(hex: string): string {
  const groups: string[] = []
  if (hex.length === 8) {
    for (let at = 0; at < 8; at += 2) groups.push(String(Number.parseInt(hex.slice(at, at + 2), 16)))
    return groups.join('.')
  }
  for (let at = 0; at < 32; at += 4) groups.push(hex.slice(at, at + 4))
  return groups.join(':')
}

/** The digits of an address as nft prints it; null for anything else. */
export function textToHex(text: string): string | null {
  const hex = text.includes(':') ? expand(text) : quad(text)
  return hex !== null && /^(?:[0-9a-f]{8}|[0-9a-f]{32})$/.test(hex) ? hex : null
}

function quad(text: string): string | null {
  const parts = text.split('.')
  if (parts.length !== 4) return null
  return parts.map((part) => Number(part).toString(16).padStart(2, '0')).join('')
}

/** `2001:db8::` written out; the tail may be a dotted quad, as in `::192.0.2.1`. */
function expand(text: string): string | null {
  const lastColon = text.lastIndexOf(':')
  const dotted = text.includes('.') ? quad(text.slice(lastColon + 1)) : null
  const plain = dotted === null ? text : `${text.slice(0, lastColon + 1)}${dotted.slice(0, 4)}:${dotted.slice(4)}`
  const gap = plain.indexOf('::')
  if (gap < 0) return digits(plain)
  const head = digits(plain.slice(0, gap))
  const tail = digits(plain.slice(gap + 2))
  return head + '0'.repeat(Math.max(0, 32 - head.length - tail.length)) + tail
}

function digits(groups: string): string {
  if (groups === '') return ''
  let hex = ''
  for (const group of groups.split(':')) hex += group.padStart(4, '0')
  return hex
}
