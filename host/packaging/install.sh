#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# install.sh BUILD DESTDIR PREFIX - what `make install` does: the programs with what they look for beside themselves
# (host/base/config.c), the models, the page, the systemd unit. Programs find their parts by their own place, so the
# whole tree lib/relecture can be moved.
set -eu
build=$1 dest=$2 prefix=$3
lib=$dest$prefix/lib/relecture
doc=$dest$prefix/share/doc/relecture
strip_flag=
[ "${STRIP:-yes}" = yes ] && strip_flag=-s

install -d "$lib/bin/sim/lib" "$lib/bin/card" "$lib/models" "$dest$prefix/bin" "$doc"
for p in relecture relecture-decode relecture-card relecture-model; do
    install -m 755 $strip_flag "$build/$p" "$lib/bin/$p"
done
install -m 644 "$build/vocabulary.json" "$build/accuracy.json" "$lib/bin/"
install -m 644 $strip_flag "$build/sim/lib/libxrt_core.so.2" "$lib/bin/sim/lib/"
install -m 644 $strip_flag "$build/sim/librelecture_dpu.so" "$lib/bin/sim/"
install -m 644 "$build/sim/relecture.xclbin" "$lib/bin/sim/"
for c in "$build"/sim/cards/*/card.toml; do
    name=$(basename "$(dirname "$c")")
    install -d "$lib/bin/sim/cards/$name"
    install -m 644 "$c" "$lib/bin/sim/cards/$name/"
    ln -sfn ../../lib "$lib/bin/sim/cards/$name/lib"
done
# On a card: a folder of ours whose lib/ leads to the distribution's XRT; the image of the card goes beside it.
ln -sfn "/usr/lib/$(gcc -dumpmachine)" "$lib/bin/card/lib"

for m in build/models/*/model.json; do
    name=$(basename "$(dirname "$m")")
    install -d "$lib/models/$name"
    find "build/models/$name" -maxdepth 1 -type f \( -name '*.json' -o -name '*.xmodel' -o -name '*.txt' \) \
        ! -name graph.json -exec install -m 644 {} "$lib/models/$name/" \;
done
cp -R build/web "$lib/"
find "$lib/web" -type d -exec chmod 755 {} + -o -type f -exec chmod 644 {} +

ln -sfn ../lib/relecture/bin/relecture "$dest$prefix/bin/relecture"
install -d "$dest$prefix/lib/systemd/system" "$dest$prefix/lib/sysusers.d"
sed "s|@PREFIX@|$prefix|g" host/packaging/relecture.service >"$dest$prefix/lib/systemd/system/relecture.service"
install -m 644 host/packaging/sysusers.conf "$dest$prefix/lib/sysusers.d/relecture.conf"
install -m 644 README.md host/DESIGN.md host/http/API.md host/packaging/card.conf "$doc/"
install -m 644 LICENSE "$doc/copyright"
