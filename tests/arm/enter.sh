#!/bin/sh
# enter.sh ROOT EMULATOR COMMAND...: run a command inside the ARM userland, where its children are ARM programs too.
#
# The kernel is told of the emulator in namespaces of this process alone (Linux 6.7; no rights needed), so nothing is left
# behind. No PID namespace: as PID 1 the command would ignore signals. /tmp and the home are empty at each entry.
set -eu
exec unshare --user --map-root-user --mount -- sh -euc '
root=$1 emulator=$2
shift 2
mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc
# F opens the emulator now, since the root has none; P keeps argv[0], by which a Python knows its virtual environment.
elf="\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00"
mask="\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff"
printf "%s" ":aarch64:M::$elf:$mask:$emulator:FP" > /proc/sys/fs/binfmt_misc/register
mount --rbind /dev "$root/dev"
# The cpuinfo and device tree of the root are those of a Pi; the rest of its /proc leads here.
mount --rbind /proc "$root/run/proc"
for folder in tmp root; do mount -t tmpfs tmpfs "$root/$folder"; done
exec chroot "$root" /usr/bin/env -i HOME=/root PATH=/usr/local/bin:/usr/bin:/bin ${QEMU_CPU:+QEMU_CPU="$QEMU_CPU"} "$@"
' sh "$@"
