import type { Command } from 'commander'
import { addSocketOptions, agentAt, type SocketOptions } from './agent-socket.ts'
import { print } from './output.ts'

/** `bailiff metrics`: what the agent counts and measures, as Prometheus reads it. */
export default function addMetrics(program: Command): void {
  const command = program
    .command('metrics')
    .description('what the running agent counts and measures, as Prometheus text')
    .option('--json', 'as one JSON object: by name, a number or an object of numbers by label')
    .addHelpText(
      'after',
      `
Prometheus reads the same at /metrics of the control socket, and on loopback where the configuration
has "metrics: 127.0.0.1:9120".

Examples:
  bailiff metrics
  bailiff metrics --json | jq .bailiff_bans_total
  bailiff metrics > /var/lib/prometheus/node-exporter/bailiff.prom`,
    )
  addSocketOptions(command).action(async (options: SocketOptions & { json?: true }) => {
    const text = await (await agentAt(options)).metrics()
    if (options.json) print(JSON.stringify(asObject(text), null, 2))
    else process.stdout.write(text)
  })
}

/** Reads what `metricsText` wrote: at most one label a metric. */
function asObject(text: string): Record<string, number | Record<string, number>> {
  const metrics: Record<string, number | Record<string, number>> = {}
  for (const line of text.split('\n')) {
    const [, name, label, value] = /^(\w+)(?:\{\w+="((?:[^"\\]|\\.)*)"\})? (\S+)$/.exec(line) ?? []
    if (name === undefined) continue
    if (label === undefined) metrics[name] = Number(value)
    else {
      const known = metrics[name]
      const labelled = typeof known === 'object' ? known : (metrics[name] = {})
      labelled[label.replace(/\\(.)/g, '$1')] = Number(value)
    }
  }
  return metrics
}
