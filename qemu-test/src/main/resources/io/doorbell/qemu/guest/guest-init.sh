#!/bin/busybox sh
# The guest's first program: mounts the host's file tree, and hands over to the agent in it.
#
# The tree is mounted read-only (9p); what the guest writes goes to an overlay in its own memory and ends with it. So
# every path means the same in the guest as on the host, and nothing that the guest does can harm the host's files.
set -e
trap 'echo "doorbell: the guest cannot be set up"; poweroff -f' EXIT

. /settings
for folder in proc sys dev host changes root; do
    /bin/busybox mkdir -p "/$folder"
done
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
for module in /modules/*; do
    [ ! -e "$module" ] || insmod "$module" # there is none if all are built in
done

nine=trans=virtio,version=9p2000.L,msize=512000
mount -t 9p -o "ro,cache=loose,$nine" host /host
mount -t tmpfs -o size=75% changes /changes
mkdir /changes/files /changes/work
mount -t overlay -o lowerdir=/host,upperdir=/changes/files,workdir=/changes/work root /root

mount -t tmpfs run /root/run
lab=/root/run/doorbell
mkdir -p "$lab/bin" "$lab/jobs" "$lab/pids" /root/run/lock
mount -t 9p -o "cache=none,$nine" jobs "$lab/jobs"
cp /agent "$lab/agent"
cp /bin/busybox "$lab/bin/busybox"
ln -s /run/doorbell/bin/busybox "$lab/bin/sh"

modules_here=/root/lib/modules/$(uname -r)
mkdir -p "$modules_here"
mount --bind "/host$modules" "$modules_here"

for folder in proc sys dev; do
    mount --move "/$folder" "/root/$folder"
done
mkdir -p /root/dev/pts /root/dev/shm
mount -t devpts devpts /root/dev/pts
mount -t tmpfs shm /root/dev/shm
if mkdir -p /root/dev/hugepages; then
    mount -t hugetlbfs hugetlbfs /root/dev/hugepages
fi
exec switch_root /root /run/doorbell/bin/sh /run/doorbell/agent
