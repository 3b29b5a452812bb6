/** Prometheus' text format, version 0.0.4: https://prometheus.io/docs/instrumenting/exposition_formats/ */
import { printable } from './errors.ts'

/** Values of labels for one metric: each is kept for ever by who scrapes. The rest counts as `other`. */
const maxSamples = 1000
const other = 'other'

/** One number, and what it is of. */
export interface Sample {
  readonly value: number
  /** At most one label, its name and its value; null: the metric has none. */
  readonly label: readonly [name: string, value: string] | null
}

/** A metric with all its samples, which have the same label. */
export interface Metric {
  /** As conventions have it: `bailiff_…`, base units, counters end in `_total`. */
  readonly name: string
  readonly type: 'counter' | 'gauge'
  /** One sentence. */
  readonly help: string
  readonly samples: readonly Sample[]
}

/** The text of some metrics. Those without samples are left out; of too many samples the last are added up. */
export function metricsText(metrics: readonly Metric[]): string {
  return metrics.flatMap((metric) => (metric.samples.length === 0 ? [] : [oneMetric(metric)])).join('')
}

function oneMetric({ name, type, help, samples }: Metric): string {
  const lines = bounded(samples).map(({ label, value }) => {
    const labels = label === null ? '' : `{${label[0]}="${escaped(label[1])}"}`
    return `${name}${labels} ${spelled(value)}\n`
  })
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join('')}`
}

function bounded(samples: readonly Sample[]): readonly Sample[] {
  const rest = samples.slice(maxSamples)
  const [first] = rest
  if (first === undefined) return samples
  const value = rest.reduce((sum, sample) => sum + sample.value, 0)
  return [...samples.slice(0, maxSamples), { value, label: first.label && [first.label[0], other] }]
}

/** Backslash, quote and newline are escaped as the format says; no other control character is left by `printable`. */
function escaped(value: string): string {
  return printable(value).replace(/[\\"]/g, '\\$&')
}

function spelled(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  return Number.isFinite(value) ? String(value) : value > 0 ? '+Inf' : '-Inf'
}
