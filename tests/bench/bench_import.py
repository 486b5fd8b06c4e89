#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""make bench-import: hours of footage per core-hour, by CPU time of every process that has a part in it.

  busy-*           without gate: the whole path beside FFmpeg's decoder alone, and beside FFmpeg + swscale +
                   onnxruntime doing the detector's part of the job on the same frames (no tracker, no index)
  noisy-*, quiet-* with the gate, and without it to know what there is to find: speed and recall in one row

Rounds are interleaved, the median is shown with its spread. The nets' share of the card worker is told apart from the
kernels by the wall time of each inside it. Clips: make_import_clips.sh; the cameras with few events need DATA."""
import json
import os
import resource
import sqlite3
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "e2e"))
from relecture_e2e import BUILD, ROOT, START_MS, Site, run  # noqa: E402

DATA = os.environ.get("RELECTURE_DATA", "")
CLIPS = os.path.join(ROOT, "build", "bench-import")
PEER = os.path.join(ROOT, "build", "bench")
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
GOAL_UNGATED, GOAL_NOISY, GOAL_QUIET, GOAL_RECALL = 0.88, 20, 60, 0.98
missed = []


def children_cpu_s():
    u = resource.getrusage(resource.RUSAGE_CHILDREN)
    return u.ru_utime + u.ru_stime


def cpu_of(*args):
    before = children_cpu_s()
    subprocess.run(args, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return children_cpu_s() - before


def relecture(file, *options):
    """What it cost, and who was seen."""
    site = Site()
    out = site("import", "--case", site.case, "--camera", "gare-01", "--start", "2026-11-20T14:00:00Z", "--json", "--stats",
               *options, file, check=0, timeout=3600).stdout
    stats = json.loads(out.splitlines()[-1])["stats"]
    db = sqlite3.connect(f"file:{site.dir}/index.db?mode=ro", uri=True)
    seen = [{"kind": k, "from_ms": t - START_MS, "to_ms": t - START_MS + d} for t, d, k in
            db.execute("SELECT start_ms, duration_ms, class FROM sighting")]
    db.close()
    site.close()
    nets = stats["net_wall_us"] / max(1, stats["net_wall_us"] + stats["kernel_wall_us"])
    stats["nets_s"] = stats["card_cpu_us"] * nets / 1e6
    stats["rest_s"] = (stats["card_cpu_us"] * (1 - nets) + stats["host_cpu_us"]) / 1e6
    stats["decode_s"] = stats["decode_cpu_us"] / 1e6
    stats["own_s"] = stats["decode_s"] + stats["rest_s"]
    return stats, seen


def rate(hours, seconds):
    return hours * 3600 / seconds


def row(name, values, unit="", goal=None, at_least=True):
    m = statistics.median(values)
    text = f"  {name:46} {m:9.3f} {unit:4} ({min(values):.3f}..{max(values):.3f})"
    if goal is not None:
        met = m >= goal if at_least else m <= goal
        text += f"  goal {'>=' if at_least else '<='} {goal}: {'met' if met else 'MISSED'}"
        if not met:
            missed.append(name)
    print(text, flush=True)
    return m


def peer_graph():
    """The wide detector as int8 ONNX, as onnxruntime likes it best; None without onnxruntime."""
    if not os.path.exists(os.path.join(PEER, "node_modules", "onnxruntime-node")):
        return None
    folder = os.path.join(CLIPS, "peer")
    os.makedirs(folder, exist_ok=True)
    golden = os.path.join(ROOT, "build", "models", "nanodet-g-640x384", "nanodet-g.golden.xmodel")
    subprocess.run([os.path.join(BUILD, "tests", "bench", "bench_engine")], check=True, text=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL, input=f"open nanodet {golden}\ndump nanodet {folder}\n")
    subprocess.run(["/usr/bin/python3", "-B", os.path.join(HERE, "to_onnx.py"), folder], check=True)
    return os.path.join(folder, "graph.onnx")


def ungated(name, graph):
    file = os.path.join(CLIPS, name)
    peer_args = ["node", os.path.join(HERE, "bench_import_peer.mjs"), graph or "", PEER]
    decode, own, whole, peer = [], [], [], []
    for _ in range(ROUNDS):
        decode.append(cpu_of("ffmpeg", "-nostdin", "-threads", "1", "-i", file, "-an", "-f", "null", "-"))
        s, _ = relecture(file, "--ungated")
        own.append(s["own_s"])
        whole.append(s["own_s"] + s["nets_s"])
        if graph:
            peer.append(cpu_of(*peer_args, file) - cpu_of(*peer_args))
    hours = s["footage_us"] / 3.6e9
    print(f"\n{name}: {hours * 60:.2f} min, {s['frames']} frames analysed, no gate")
    row("decode only, FFmpeg", [rate(hours, v) for v in decode], "h/h")
    row("our decode worker (with conversion to NV12)", [rate(hours, s["decode_s"])], "h/h")
    row("whole path without the nets", [rate(hours, v) for v in own], "h/h")
    row("  of decode only", [d / o for d, o in zip(decode, own)], "", GOAL_UNGATED)
    row("whole path with the nets on the processor", [rate(hours, v) for v in whole], "h/h")
    if peer:
        row("FFmpeg + swscale + onnxruntime int8", [rate(hours, v) for v in peer], "h/h")
        row("  ours against it", [p / w for p, w in zip(peer, whole)], "x", 1.0)
    else:
        print("  onnxruntime-node is not installed (make bench-import does it): its rows are skipped")


def found_again(one, seen):
    """The same class of thing at about the same moment: half of the shorter of the two times in common."""
    for s in seen:
        common = min(one["to_ms"], s["to_ms"]) - max(one["from_ms"], s["from_ms"])
        shorter = min(one["to_ms"] - one["from_ms"], s["to_ms"] - s["from_ms"])
        if s["kind"] == one["kind"] and common >= shorter / 2:
            return True
    return False


def gated(kind, goal):
    files = sorted(f for f in os.listdir(CLIPS) if f.startswith(kind + "-") and f.endswith(".mp4"))
    if not files:
        print(f"\n{kind}-*: no clips; they are made out of DATA/clips (make bench-import DATA=...)")
        return
    hours = open_s = closed = own = whole = 0
    n = found = n_sample = n_sample_found = 0
    for f in files:
        all_stats, all_seen = relecture(os.path.join(CLIPS, f), "--ungated")
        s, seen = relecture(os.path.join(CLIPS, f))
        again = sum(found_again(i, seen) for i in all_seen)
        print(f"\n{f}: {s['footage_us'] / 6e7:.2f} min, {s['closed_us'] / s['footage_us']:.0%} closed; "
              f"{again} of {len(all_seen)} passages found again, {len(seen)} in all; "
              f"sample {s['sample_found']} of {s['sample']}; ungated {all_stats['own_s']:.1f} s + nets {all_stats['nets_s']:.1f} s, "
              f"gated {s['own_s']:.1f} s (decode {s['decode_s']:.1f}) + nets {s['nets_s']:.1f} s")
        hours += s["footage_us"] / 3.6e9
        closed += s["closed_us"] / 3.6e9
        own += s["own_s"]
        whole += s["own_s"] + s["nets_s"]
        n += len(all_seen)
        found += again
        n_sample += s["sample"]
        n_sample_found += s["sample_found"]
    print(f"\n{kind} footage, {hours * 60:.1f} min, {1 - closed / hours:.0%} open:")
    row("gated, without the nets", [rate(hours, own)], "h/h", goal)
    row("gated, with the nets on the processor", [rate(hours, whole)], "h/h")
    row(f"passages of the ungated run found again (n {n})", [found / max(1, n)], "", GOAL_RECALL)
    print(f"  the sample's own measure: {n_sample_found} of {n_sample}")


SLOW_CARD = """# A card so slow that this machine keeps up with it, for bench_import.py.
[card]
name = "slow"
[time]
real = true
[pcie]
to_card_gb_s = 0.2
from_card_gb_s = 0.2
per_transfer_us = 500
[kernels]
clock_mhz = 20
compute_units = 2
read_bytes_per_cycle = 8
start_us = 500
[dpu]
name = "DPUCAHX8H_ISA2_DWC"
engines = 2
batch = 1
clock_mhz = 5
macs_per_cycle = 2048
efficiency = 0.61
depthwise_efficiency = 0.032
"""


def planned_against_run():
    """The virtual clock's frames per second for a slow card, and those of the simulated card that really takes so long."""
    folder = os.path.join(BUILD, "sim", "cards", "bench-slow")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "card.toml"), "w", encoding="utf-8") as f:
        f.write(SLOW_CARD)
    if not os.path.lexists(os.path.join(folder, "lib")):
        os.symlink("../../lib", os.path.join(folder, "lib"))
    exe = os.path.join(BUILD, "relecture")
    real = json.loads(run(exe, "card", "bench", "--card", "bench-slow", "--frames", "60", "--json", check=0).stdout)
    golden = os.path.join(ROOT, "build", "models", "nanodet-g", "nanodet-g.golden.xmodel")
    planned = json.loads(run(os.path.join(BUILD, "relecture-model"), "plan", golden, os.path.join(folder, "card.toml"), "60",
                             str(real["lanes"]), check=0).stdout)
    print(f"\na slow card: planned {planned['frames_per_s']:.2f} frames/s, run {real['frames_per_s']:.2f}")
    row("run against plan", [real["frames_per_s"] / planned["frames_per_s"]], "x", 0.85)
    row("run against plan", [real["frames_per_s"] / planned["frames_per_s"]], "x", 1.15, False)


def main():
    run(os.path.join(HERE, "make_import_clips.sh"), CLIPS, DATA, check=0, timeout=7200)
    print(f"load {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores, {ROUNDS} rounds; CPU time; 5 frames analysed per second")
    which = sys.argv[1:] or ["plan", "busy", "noisy", "quiet"]
    if "plan" in which:
        planned_against_run()
    if "busy" in which:
        graph = peer_graph()
        ungated("busy-h264.mp4", graph)
        ungated("busy-hevc.mp4", graph)
    if "noisy" in which:
        gated("noisy", GOAL_NOISY)
    if "quiet" in which:
        gated("quiet", GOAL_QUIET)
    print(f"\n{len(missed)} goals missed" + (": " + "; ".join(missed) if missed else ""))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
