/** Sizes of units in seconds. */
const units = { y: 31_536_000, w: 604_800, d: 86_400, h: 3600, m: 60, s: 1 } as const

/** From which length on which units are told, and to how many seconds it is rounded then. */
const scales: readonly { from: number; roundTo: number; told: readonly (keyof typeof units)[] }[] = [
  { from: units.y, roundTo: units.d, told: ['y', 'w', 'd'] },
  { from: units.w, roundTo: units.h, told: ['w', 'd', 'h'] },
  { from: units.d, roundTo: units.m, told: ['d', 'h', 'm'] },
  { from: 3595, roundTo: 10, told: ['h', 'm'] },
  { from: 0, roundTo: 1, told: ['m', 's'] },
]

/** A length of time as Fail2ban's log writes it: `1y 3d`, `2d 7h 15m`, `59m 50s`, `0`. Seconds, not negative. */
export function lengthText(seconds: number): string {
  const scale = scales.find(({ from }) => seconds >= from)
  if (scale === undefined) return '0'
  let rest = roundHalfEven(seconds / scale.roundTo) * scale.roundTo
  const parts: string[] = []
  for (const unit of scale.told) {
    const count = Math.floor(rest / units[unit])
    if (count > 0) parts.push(`${count}${unit}`)
    rest -= count * units[unit]
  }
  return parts.join(' ') || '0'
}

/** As Python rounds: a half goes to the even neighbour. */
function roundHalfEven(value: number): number {
  const floor = Math.floor(value)
  if (value - floor !== 0.5) return Math.round(value)
  return floor % 2 === 0 ? floor : floor + 1
}
