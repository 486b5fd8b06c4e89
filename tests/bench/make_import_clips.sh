#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# 1080p25 clips for bench_import.py out of real footage: make_import_clips.sh DIR DATA
# busy-*: people all the time (PETS 2009, of Debian's package opencv-doc). noisy-*, quiet-*: DATA/clips' cameras
# with few events, each between long stretches of one of their own empty pictures; noisy ones with sensor noise at
# 4 Mbit/s, quiet ones as a VBR camera would code them.
set -eu
dir=$1
data=$2
pets=/usr/share/doc/opencv-doc/examples/data/vtest.avi
[ -r $pets ] || { echo "needs $pets: apt-get install opencv-doc" >&2; exit 1; }
mkdir -p "$dir"
noise="noise=alls=12:allf=t"
up="fps=25,scale=1920:1080:flags=bicubic"
cbr="-b:v 4M -maxrate 4M -bufsize 8M"
h264="-c:v libx264 -preset veryfast -g 50 -bf 0 -x264-params threads=1:scenecut=0 -an"
hevc="-c:v libx265 -preset superfast -x265-params log-level=none:pools=1:frame-threads=1:keyint=50:bframes=0:scenecut=0 -an"
make() { # NAME ARGS...
    [ -e "$dir/$1" ] && return 0
    name=$1
    shift
    nice -n 10 ffmpeg -nostdin -loglevel error -y -threads 1 "$@" "$dir/new-$name" && mv "$dir/new-$name" "$dir/$name"
}
# shellcheck disable=SC2086
{
make busy-h264.mp4 -i $pets -t 24 -vf "$up,$noise" $h264 $cbr
make busy-hevc.mp4 -i $pets -t 24 -vf "$up,$noise" $hevc -b:v 4M
}
# An empty picture at EMPTY_S for 60 s, the clip, and the picture again for AFTER_S.
events() { # NAME CLIP EMPTY_S AFTER_S
    in="$data/clips/$2"
    [ -r "$in" ] || return 0
    graph="[0:v]fps=25,scale=1920:1080:flags=bicubic,split=3[c0][c1][c2];
[c0]trim=start=$3:duration=0.04,setpts=PTS-STARTPTS,loop=loop=1499:size=1,setpts=N/25/TB,fps=25[before];
[c1]setpts=PTS-STARTPTS[clip];
[c2]trim=start=$3:duration=0.04,setpts=PTS-STARTPTS,loop=loop=$(($4 * 25 - 1)):size=1,setpts=N/25/TB,fps=25[after];
[before][clip][after]concat=n=3:v=1:a=0"
    # shellcheck disable=SC2086
    {
    make "quiet-$1.mp4" -i "$in" -filter_complex "$graph" $h264 -crf 26
    make "noisy-$1.mp4" -i "$in" -filter_complex "$graph,$noise" $h264 $cbr
    }
}
events cars intel-car-detection.mp4 12 120
events cyclists intel-person-bicycle-car.mp4 18 120
events indoors intel-one-by-one-person.mp4 0 240
