/** By what a service is known, and which filters are for it. One row a service; `known` is the whole catalogue. */

/** A service that attackers try, as packages of distributions and its own installers leave it. */
export interface ServiceSigns {
  /** As people call it. */
  readonly name: string
  /** The filters that are switched on for it; of the others in `more` only some servers want it. */
  readonly filters: readonly string[]
  readonly more?: readonly string[]
  /** Names of its processes. */
  readonly processes: readonly string[]
  /** Programs and folders that only it has. */
  readonly files: readonly string[]
  /** Units that stand for it when they are switched on. */
  readonly units: readonly string[]
}

export const known: readonly ServiceSigns[] = [
  {
    name: 'OpenSSH',
    filters: ['sshd'],
    processes: ['sshd'],
    files: ['/usr/sbin/sshd'],
    units: ['ssh.service', 'sshd.service', 'ssh.socket'],
  },
  {
    name: 'Dropbear',
    filters: ['dropbear'],
    processes: ['dropbear'],
    files: ['/usr/sbin/dropbear'],
    units: ['dropbear.service'],
  },
  {
    name: 'nginx',
    filters: ['nginx-http-auth', 'nginx-botsearch'],
    more: ['nginx-bad-request', 'nginx-forbidden', 'nginx-limit-req'],
    processes: ['nginx'],
    files: ['/usr/sbin/nginx', '/usr/local/nginx/sbin/nginx'],
    units: ['nginx.service'],
  },
  {
    name: 'Apache',
    filters: ['apache-auth', 'apache-botsearch'],
    more: ['apache-badbots', 'apache-noscript', 'apache-overflows', 'apache-shellshock', 'apache-modsecurity'],
    processes: ['apache2', 'httpd'],
    files: ['/usr/sbin/apache2', '/usr/sbin/httpd'],
    units: ['apache2.service', 'httpd.service'],
  },
  one('lighttpd', 'lighttpd-auth', ['lighttpd'], ['/usr/sbin/lighttpd'], ['lighttpd.service']),
  one('HAProxy', 'haproxy-http-auth', ['haproxy'], ['/usr/sbin/haproxy'], ['haproxy.service']),
  one('Caddy', 'caddy', ['caddy'], ['/usr/bin/caddy'], ['caddy.service']),
  one('Traefik', 'traefik-auth', ['traefik'], ['/usr/local/bin/traefik', '/usr/bin/traefik'], ['traefik.service']),
  one('Postfix', 'postfix', ['postfix'], ['/usr/sbin/postfix'], ['postfix.service', 'postfix@-.service']),
  one('Dovecot', 'dovecot', ['dovecot'], ['/usr/sbin/dovecot'], ['dovecot.service']),
  {
    name: 'Exim',
    filters: ['exim'],
    more: ['exim-spam'],
    processes: ['exim4', 'exim'],
    files: ['/usr/sbin/exim4', '/usr/sbin/exim'],
    units: ['exim4.service', 'exim.service'],
  },
  {
    name: 'Sendmail',
    filters: ['sendmail-auth', 'sendmail-reject'],
    processes: ['sendmail-mta'],
    files: ['/etc/mail/sendmail.mc'],
    units: ['sendmail.service'],
  },
  {
    name: 'Courier',
    filters: ['courier-auth', 'courier-smtp'],
    processes: ['courierd', 'couriertcpd', 'imapd-ssl'],
    files: ['/usr/sbin/couriertcpd', '/etc/courier'],
    units: ['courier-imap.service', 'courier-mta.service'],
  },
  one('Cyrus IMAP', 'cyrus-imap', ['cyrmaster'], ['/usr/sbin/cyrmaster'], ['cyrus-imapd.service']),
  one('Roundcube', 'roundcube-auth', [], ['/etc/roundcube', '/var/log/roundcube', '/var/log/roundcubemail'], []),
  one('vsftpd', 'vsftpd', ['vsftpd'], ['/usr/sbin/vsftpd'], ['vsftpd.service']),
  one('ProFTPD', 'proftpd', ['proftpd'], ['/usr/sbin/proftpd'], ['proftpd.service']),
  one('Pure-FTPd', 'pure-ftpd', ['pure-ftpd'], ['/usr/sbin/pure-ftpd'], ['pure-ftpd.service']),
  one('BIND', 'named-refused', ['named'], ['/usr/sbin/named'], ['named.service', 'bind9.service']),
  one('Asterisk', 'asterisk', ['asterisk'], ['/usr/sbin/asterisk'], ['asterisk.service']),
  one('FreeSWITCH', 'freeswitch', ['freeswitch'], ['/usr/bin/freeswitch'], ['freeswitch.service']),
  one(
    'MySQL or MariaDB',
    'mysqld-auth',
    ['mysqld', 'mariadbd'],
    ['/usr/sbin/mysqld', '/usr/sbin/mariadbd', '/usr/libexec/mysqld'],
    ['mysql.service', 'mariadb.service', 'mysqld.service'],
  ),
  one('PostgreSQL', 'postgresql', ['postgres'], ['/usr/lib/postgresql', '/usr/bin/postgres'], ['postgresql.service']),
  one('MongoDB', 'mongodb-auth', ['mongod'], ['/usr/bin/mongod'], ['mongod.service']),
  one('OpenVPN', 'openvpn', ['openvpn'], ['/etc/openvpn/server.conf'], ['openvpn-server@server.service']),
  one('GitLab', 'gitlab', ['gitlab-runsvdir'], ['/etc/gitlab/gitlab.rb'], ['gitlab-runsvdir.service']),
  one(
    'Gitea or Forgejo',
    'gitea',
    ['gitea', 'forgejo'],
    ['/etc/gitea', '/etc/forgejo'],
    ['gitea.service', 'forgejo.service'],
  ),
  one('Grafana', 'grafana', ['grafana', 'grafana-server'], ['/usr/sbin/grafana-server'], ['grafana-server.service']),
  one('Nextcloud', 'nextcloud', [], ['/var/www/nextcloud', '/var/www/owncloud', '/var/nextcloud'], []),
  one(
    'Vaultwarden',
    'vaultwarden',
    ['vaultwarden'],
    ['/etc/vaultwarden.env', '/var/lib/vaultwarden'],
    ['vaultwarden.service'],
  ),
  one('WordPress', 'wordpress', [], ['/etc/wordpress', '/var/www/html/wp-login.php', '/var/www/wordpress'], []),
  one('Drupal', 'drupal-auth', [], ['/var/www/html/core/lib/Drupal.php', '/var/www/drupal'], []),
  one('phpMyAdmin', 'phpmyadmin-syslog', [], ['/etc/phpmyadmin', '/usr/share/phpmyadmin'], []),
  one(
    'Proxmox',
    'proxmox',
    ['pvedaemon', 'pmgdaemon', 'proxmox-backup-proxy'],
    ['/usr/bin/pvedaemon'],
    ['pvedaemon.service'],
  ),
  one('Squid', 'squid', ['squid', 'squid3'], ['/usr/sbin/squid'], ['squid.service']),
  one('ejabberd', 'ejabberd-auth', [], ['/etc/ejabberd', '/usr/sbin/ejabberdctl'], ['ejabberd.service']),
  one('Monit', 'monit', ['monit'], ['/usr/bin/monit'], ['monit.service']),
  one('PortSentry', 'portsentry', ['portsentry'], ['/usr/sbin/portsentry'], ['portsentry.service']),
]

/** A service with one filter. */
function one(
  name: string,
  filter: string,
  processes: readonly string[],
  files: readonly string[],
  units: readonly string[],
): ServiceSigns {
  return { name, filters: [filter], processes, files, units }
}
