import type { Command } from 'commander'

/** `bailiff doctor`: whether everything is there for bans to come and to bite. */
export default function addDoctor(program: Command): void {
  program
    .command('doctor')
    .description('look for whatever keeps bans from biting here, and prove that they do')
    .option('-c, --config <file>', 'the configuration (default: /etc/bailiff/bailiff.yaml)')
    .option('--fail2ban <folder>', 'a configuration of Fail2ban, as "bailiff run --fail2ban" takes it')
    .option('--socket <path>', 'the control socket of the agent')
    .option('--no-proof', 'leave out the proof with a real packet')
    .option('--json', 'one JSON object: findings with grade, subject, text and mend; problems; notes')
    .option('--root <folder>', 'look at the files below this folder', '/')
    .addHelpText(
      'after',
      `
Looks at rights, firewall, logs and their dates, the clock, ways to lock yourself out, Docker, proxies,
other programs that ban, the running agent, disk and memory. The proof is a ban of a test address by the
real firewall helper, between two network namespaces that are gone afterwards: no rule of this host is
touched. It needs root, and works beside a running agent and without one.

Exit code 0: no problem; 69: at least one.

Examples:
  bailiff doctor
  bailiff doctor --fail2ban /etc/fail2ban
  bailiff doctor --json | jq '.findings[] | select(.grade == "problem")'`,
    )
    .action(async (options: DoctorOptions) => {
      const { examine } = await import('./doctor-run.ts')
      process.exitCode = await examine(options)
    })
  program.commands
    .at(-1)
    ?.options.find((each) => each.long === '--root')
    ?.hideHelp()
}

/** The options as commander gives them. */
export interface DoctorOptions {
  readonly config?: string
  readonly fail2ban?: string
  readonly socket?: string
  readonly proof: boolean
  readonly json?: true
  readonly root: string
}
