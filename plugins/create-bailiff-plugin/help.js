import { kinds, kindTexts, languagesOf } from './templates.js'

/** What `--help` prints: the kinds and languages are those that there are templates for. */
export function help() {
  const table = kinds()
    .map((kind) => `    ${kind.padEnd(10)} ${languagesOf(kind).join(', ').padEnd(14)} ${kindTexts[kind]?.[1] ?? ''}`)
    .join('\n')
  return `Usage: npm create bailiff-plugin [NAME] [-- OPTIONS]

writes the project of a plugin for Bailiff: package.json with its manifest, the plugin, a test that passes, a README,
and a workflow for GitHub. On a terminal it asks for what is not said.

NAME is the name of the plugin or of its package, or the path of a new folder: edge and bailiff-plugin-edge both make the
package bailiff-plugin-edge, @me/edge makes @me/bailiff-plugin-edge. A folder that is not empty is left alone.

Options:
  --kind KIND          what the plugin is
  --language LANGUAGE  what it is written in; where a kind has one language it need not be said

${table}

  --bailiff SPEC       where npm is to take Bailiff from, instead of its registry: the path of a tarball (.tgz), that of a
                       checkout, which is packed into the project, or a version. Of a create-bailiff-plugin that is run out of
                       a checkout, unless said: that checkout
  --json               one JSON object: folder, package, plugin, kind, language, files
  -h, --help           this

Exit code 0: it is written; 64: the command line is wrong; 73: it cannot be written, or there is something already.

Examples:
  npm create bailiff-plugin
  npm create bailiff-plugin edge -- --kind action --language js
  npm create bailiff-plugin @me/chat -- --kind notifier --language ts
  npm create bailiff-plugin odd -- --kind matcher
  npm create bailiff-plugin shop -- --kind content
`
}
