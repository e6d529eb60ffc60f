#!/usr/bin/env bash
# Fetches what the benchmarks compare with, where that is possible, and says what is missing.
#
# Postfix's smtp-sink and smtp-source come with Debian's package; it is installed without a
# configuration, so that no mail server starts. nodemailer is put beside this file. Nothing here
# fails: a benchmark without its tool says so in its row.
set -uo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"

if ! PATH="$PATH:/usr/sbin" command -v smtp-source >/dev/null; then
  if ((EUID == 0)) && command -v apt-get >/dev/null; then
    echo "postfix postfix/main_mailer_type select No configuration" | debconf-set-selections
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install --yes -qq --no-install-recommends postfix \
      || echo "missing: postfix could not be installed" >&2
  else
    echo "missing: smtp-sink and smtp-source; as root: apt-get install postfix" >&2
  fi
fi

if command -v npm >/dev/null; then
  mkdir -p "$here/.node"
  # The folder is its own project, so that npm keeps its files out of the repository.
  if ! cmp -s "$here/package.json" "$here/.node/package.json"; then
    cp "$here/package.json" "$here/.node/package.json"
    npm install --prefix "$here/.node" --no-package-lock --no-audit --no-fund --silent \
      || { rm -f "$here/.node/package.json"; echo "missing: nodemailer could not be installed" >&2; }
  fi
else
  echo "missing: npm, for nodemailer; as root: apt-get install nodejs npm" >&2
fi
exit 0
