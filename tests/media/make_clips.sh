#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Makes the clips of tests/media with the ffmpeg command: make_clips.sh DIR. What is there already stays.
set -eu
dir=$1
mkdir -p "$dir"
cd "$dir"
ff="ffmpeg -nostdin -loglevel error -y -threads 1 -filter_threads 1"
src() { echo "-f lavfi -i testsrc2=size=$1:rate=$2:duration=$3"; } # size rate seconds

# make NAME COMMAND...: runs the command with the output name "new.NAME" and renames it when it succeeded.
make() {
    name=$1
    shift
    [ -e "$name" ] && return 0
    "$@" "new.$name" && mv "new.$name" "$name"
}
# has FILE: an encoder that this ffmpeg lacks leaves its clip out; the tests then say so.
x264="-c:v libx264 -preset veryfast -g 25 -pix_fmt yuv420p -x264-params threads=1:scenecut=0"

# shellcheck disable=SC2046,SC2086
{
make bframes.mp4 $ff $(src 352x288 25 6) $x264 -bf 3
make editlist.mp4 $ff -ss 1.3 -i bframes.mp4 -c copy
make ippp.mp4 $ff $(src 640x360 25 6) $x264 -bf 0 -movflags +faststart
make opengop.mkv $ff $(src 352x288 25 6) $x264:open-gop=1 -bf 3
make hevc.mkv $ff $(src 352x288 25 4) -c:v libx265 -preset ultrafast -x265-params log-level=none:pools=1:frame-threads=1:keyint=25 || true
make bframes.ts $ff -i bframes.mp4 -c copy -f mpegts
make intrarefresh.ts $ff $(src 352x288 25 6) $x264:intra-refresh=1:keyint=50 -bf 0 -f mpegts
make mpeg2.vob $ff $(src 352x288 25 6) -c:v mpeg2video -g 12 -bf 2 -b:v 1M -f vob
make interlaced.ts $ff $(src 352x288 25 4) -c:v mpeg2video -flags +ildct+ilme -top 1 -b:v 1M -f mpegts
make tenbit.mkv $ff $(src 352x288 25 2) -c:v libx264 -preset ultrafast -pix_fmt yuv420p10 -x264-params threads=1
make y422.mkv $ff $(src 352x288 25 2) -c:v libx264 -preset ultrafast -pix_fmt yuv422p -x264-params threads=1
make y444.mkv $ff $(src 352x288 25 2) -c:v libx264 -preset ultrafast -pix_fmt yuv444p -x264-params threads=1
make rgb.mkv $ff $(src 352x288 25 1) -c:v ffv1 -pix_fmt bgr0
make full.mkv $ff $(src 352x288 25 2) -vf scale=out_range=full -c:v libx264 -preset ultrafast -pix_fmt yuvj420p -color_range pc -x264-params threads=1
make mjpeg.avi $ff $(src 352x288 25 2) -c:v mjpeg -q:v 4 -pix_fmt yuvj420p
make raw.mjpeg $ff $(src 352x288 25 2) -c:v mjpeg -q:v 4 -pix_fmt yuvj420p -f mjpeg
make odd.avi $ff $(src 177x143 25 2) -c:v mpeg4 -q:v 4
make packed.avi $ff $(src 352x288 25 3) -c:v mpeg4 -bf 2 -q:v 4
make h264.avi $ff -i bframes.mp4 -c copy
make vfr.mkv $ff $(src 352x288 30 6) -vf "select='not(eq(mod(n\,3)\,1))*not(between(n\,60\,119))'" -vsync vfr $x264
make ntsc.mp4 $ff $(src 352x240 30000/1001 6) $x264 -bf 2
make sar.mkv $ff $(src 352x288 25 1) -vf setsar=12/11 $x264
make tallsar.mkv $ff $(src 352x288 25 1) -vf setsar=2/3 $x264
make hd.mkv $ff $(src 1280x720 25 1) $x264
make vp9.webm $ff $(src 176x144 25 2) -c:v libvpx-vp9 -deadline realtime -cpu-used 8 -g 25 || true
make wmv.wmv $ff $(src 352x288 25 2) -c:v wmv2 -b:v 500k
make flv.flv $ff -i bframes.mp4 -c copy
make raw.h264 $ff -i bframes.mp4 -c copy -bsf:v h264_mp4toannexb -f h264
make sound.mp4 $ff $(src 352x288 25 3) -f lavfi -i sine=duration=3 $x264 -c:a aac -metadata creation_time=2026-11-20T14:00:00Z
make two.mkv $ff $(src 176x144 25 2) $(src 352x288 25 2) -map 0:v -map 1:v $x264
make audio.m4a $ff -f lavfi -i sine=duration=1 -c:a aac
make audio.wav $ff -f lavfi -i sine=duration=1
make picture.png $ff $(src 176x144 25 1) -frames:v 1
make picture.jpg $ff $(src 176x144 25 1) -frames:v 1
make encrypted.mp4 $ff $(src 176x144 25 1) $x264 -encryption_scheme cenc-aes-ctr \
    -encryption_key 00112233445566778899aabbccddeeff -encryption_kid 112233445566778899aabbccddeeff00
# One figure, red above navy on a grey street, in odd forms (test_forms.c).
street="color=c=0x808478:s=640x360:r=10:d=2"
figure="drawbox=x=200:y=100:w=60:h=75:color=0xb41e23:t=fill,drawbox=x=200:y=175:w=60:h=75:color=0x1e285a:t=fill"
x="-c:v libx264 -preset ultrafast -x264-params threads=1 -pix_fmt"
make form-plain.mp4 $ff -f lavfi -i $street,$figure $x yuv420p
make form-interlaced.ts $ff -f lavfi -i $street,$figure -c:v mpeg2video -flags +ildct+ilme -top 1 -b:v 2M -r 25 -f mpegts
make form-sar.mkv $ff -f lavfi -i $street,$figure,scale=320:360,setsar=2 $x yuv420p
make form-422.mkv $ff -f lavfi -i $street,$figure $x yuv422p
make form-10bit.mkv $ff -f lavfi -i $street,$figure $x yuv420p10
make form-vfr.mkv $ff -f lavfi -i "$street,$figure,select='not(eq(mod(n\,3)\,1))*not(between(n\,8\,11))'" -vsync vfr $x yuv420p
make form-full.avi $ff -f lavfi -i $street,$figure -c:v mjpeg -q:v 3 -pix_fmt yuvj420p
make form-lying.mp4 $ff -f lavfi -i $street,$figure,transpose=2 $x yuv420p
make form-turned.mp4 $ff -i form-lying.mp4 -c copy -metadata:s:v rotate=270
make form-portrait.mp4 $ff -f lavfi -i "color=c=0x808478:s=360x640:r=10:d=2,drawbox=x=100:y=200:w=60:h=75:color=0xb41e23:t=fill,drawbox=x=100:y=275:w=60:h=75:color=0x1e285a:t=fill" $x yuv420p
make form-black.mp4 $ff -f lavfi -i $street,$figure,lutrgb=r=val/16:g=val/16:b=val/16 $x yuv420p
make form-white.mp4 $ff -f lavfi -i $street,$figure,lutrgb=r=240+val/16:g=240+val/16:b=240+val/16 $x yuv420p
make form-grey.mp4 $ff -f lavfi -i $street,$figure,hue=s=0 $x yuv420p
for turn in 90 180 270; do
    make turned$turn.mp4 $ff -i bframes.mp4 -c copy -t 1 -metadata:s:v rotate=$turn
done
make large.ts $ff $(src 640x480 25 2) $x264 -output_ts_offset 2.2 -f mpegts
make small.ts $ff $(src 320x240 25 2) $x264 -f mpegts
make huge.mkv $ff -f lavfi -i color=size=16382x64:rate=1:duration=1 -c:v ffv1
}

# bytes FILE FROM COUNT SOURCE: overwrites COUNT bytes of FILE from FROM on
bytes() { dd if="$4" of="$1" bs=1 seek="$2" count="$3" conv=notrunc status=none; }
size() { stat -c %s "$1"; }
part() { [ -e "$2" ] || head -c "$3" "$1" >"$2"; } # part FROM TO COUNT
[ -e resolution.ts ] || cat small.ts large.ts >resolution.ts # grows in the middle, times go on
[ -e jump.ts ] || cat bframes.ts bframes.ts >jump.ts          # the clock goes back to the start
part ippp.mp4 cut_index_first.mp4 $(($(size ippp.mp4) * 6 / 10))
part bframes.mp4 cut_index_last.mp4 $(($(size bframes.mp4) * 6 / 10))
part bframes.ts cut.ts $(($(size bframes.ts) * 6 / 10))
part opengop.mkv cut.mkv $(($(size opengop.mkv) * 6 / 10))
for f in ippp.mp4 bframes.ts opengop.mkv; do
    [ -e "holed_$f" ] && continue
    cp "$f" "new.$f"
    bytes "new.$f" $(($(size "$f") * 4 / 10)) $(($(size "$f") / 20)) /dev/zero
    mv "new.$f" "holed_$f"
done
if [ ! -e mirrored.mp4 ]; then # the first number of the track's matrix becomes -1
    cp sound.mp4 new.mirrored.mp4
    printf '\377\377\000\000' >minus_one
    at=$(grep -obUa tkhd new.mirrored.mp4 | head -1 | cut -d: -f1)
    bytes new.mirrored.mp4 $((at + 44)) 4 minus_one
    mv new.mirrored.mp4 mirrored.mp4
fi
: >empty.mp4
echo "This is a text about a recording, and not one." >text.mp4
printf 'http://127.0.0.1:9/film.mp4\n' >url.mp4
printf '#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXTINF:6,\nbframes.ts\n#EXT-X-ENDLIST\n' >list.m3u8
printf '#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXTINF:6,\n/etc/passwd\n#EXT-X-ENDLIST\n' >passwd.m3u8
printf "ffconcat version 1.0\nfile bframes.mp4\n" >list.ffconcat
printf 'v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\na=rtpmap:96 H264/90000\n' >stream.sdp
[ -e noise.mp4 ] || head -c 200000 /dev/urandom >noise.mp4
