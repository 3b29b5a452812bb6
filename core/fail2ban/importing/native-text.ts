/** Values of a Fail2ban tree as the native configuration writes them. */

/** `600` as `10m`, `90000` as `1d1h`; a fraction of a second is rounded, and less than one is one. */
export function durationText(seconds: number): string {
  let rest = Math.max(1, Math.round(seconds))
  let text = ''
  for (const [unit, size] of units) {
    const count = Math.floor(rest / size)
    if (count > 0) text += `${count}${unit}`
    rest -= count * size
  }
  return text
}

const units: readonly (readonly [unit: string, seconds: number])[] = [
  ['w', 604_800],
  ['d', 86_400],
  ['h', 3600],
  ['m', 60],
  ['s', 1],
]

/** An address or network of `ignoreip` with its mask as a length: `192.0.2.0/255.255.255.0` as `192.0.2.0/24`; others stay. */
export function withMaskLength(word: string): string {
  const [, address, mask] = /^([\d.]+)\/(\d+\.\d+\.\d+\.\d+)$/.exec(word) ?? []
  if (address === undefined || mask === undefined) return word
  const bits = mask
    .split('.')
    .map((part) => Number(part).toString(2).padStart(8, '0'))
    .join('')
  const [, ones = ''] = /^(1*)0*$/.exec(bits) ?? []
  return /^1*0*$/.test(bits) ? `${address}/${ones.length}` : word
}

/** `UTC+0200`, `+02:00`, `Z`: the distance from UTC as `+02:00`; null for anything else. */
export function offsetText(zone: string): string | null {
  if (/^(?:Z|UTC|GMT)$/i.test(zone)) return '+00:00'
  const [, sign, hours = '', minutes] = /^(?:UTC|GMT)?([+-])(\d\d?)(?::?([0-5]\d))?$/i.exec(zone) ?? []
  return sign === undefined ? null : `${sign}${hours.padStart(2, '0')}:${minutes ?? '00'}`
}
