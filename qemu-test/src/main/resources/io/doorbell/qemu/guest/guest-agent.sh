#!/run/doorbell/bin/sh
# Process 1 of the guest: runs what the host asks for over the virtio port, many commands at a time.
#
#   host:  run JOB           starts the script jobs/JOB/command; what it prints goes to stdout and stderr beside it
#          kill JOB SIGNAL   sends a signal to all processes of a job
#   guest: ready             once, when all is set up
#          exit JOB STATUS
cd /run/doorbell

# This script and the kernel use busybox's programs alone, so that they do not depend on what the host has installed: its
# modprobe, for example, may want indices that this kernel's modules do not have.
bin/busybox --install -s bin 2>/dev/null
export PATH=/run/doorbell/bin
echo /run/doorbell/bin/modprobe >/proc/sys/kernel/modprobe
ip link set lo up
hostname doorbell-guest

for port in /sys/class/virtio-ports/*; do
    [ "$(cat "$port/name")" = agent ] && exec 3<>"/dev/${port##*/}"
done
# Commands find the host's programs first; busybox stands in for those that it has not.
commands_path=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:$PATH
# A shell has its background commands ignore Ctrl-C; those of the host are to heed it, as they do there.
/usr/bin/env --default-signal=INT,QUIT true 2>/dev/null && heed='/usr/bin/env --default-signal=INT,QUIT'
echo ready >&3

while read -r verb job signal <&3; do
    case $verb in
        run)
            (
                # A session of its own, so that a signal reaches all that the command starts.
                PATH=$commands_path bin/setsid $heed /bin/sh "jobs/$job/command" </dev/null >"jobs/$job/stdout" 2>"jobs/$job/stderr" 3<&-
                echo "exit $job $?" >&3
            ) &
            ;;
        kill)
            until [ -s "pids/$job" ]; do usleep 10000; done
            kill -s "$signal" -- "-$(cat "pids/$job")"
            ;;
    esac
done
# The host has gone.
poweroff -f
