#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# 1080p25 clips for bench_decode out of real footage (PETS 2009, of Debian's package opencv-doc): make_decode_clips.sh DIR
set -eu
dir=$1
src=/usr/share/doc/opencv-doc/examples/data/vtest.avi
[ -r $src ] || { echo "needs $src: apt-get install opencv-doc" >&2; exit 1; }
mkdir -p "$dir"
cd "$dir"
noisy="setpts=0.4*PTS,fps=25,scale=1920:1080,noise=alls=14:allf=t"
ff="ffmpeg -nostdin -loglevel error -y -threads 1"
make() {
    [ -e "$1" ] && return 0
    name=$1
    shift
    "$@" "new.$name" && mv "new.$name" "$name"
}
# shellcheck disable=SC2086
{
make ippp.mp4 $ff -i $src -t 12 -vf "$noisy" -c:v libx264 -preset veryfast -g 50 -bf 0 -b:v 4M -maxrate 4M -bufsize 8M -x264-params threads=1
make ibbp.mp4 $ff -i $src -t 12 -vf "$noisy" -c:v libx264 -preset veryfast -g 50 -bf 3 -b:v 4M -maxrate 4M -bufsize 8M -x264-params threads=1:b-pyramid=none
make hevc.mp4 $ff -i $src -t 12 -vf "$noisy" -c:v libx265 -preset superfast -x265-params log-level=none:pools=1:frame-threads=1:keyint=50:bframes=0 -b:v 4M
}
