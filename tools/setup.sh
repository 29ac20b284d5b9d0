# Sourced by nicctl, built here or unpacked, and by ./verify: finds what they need, and installs it where it may (Debian, as root).
#
#   set_up jdk maven qemu busybox kernel ip dpdk pcap tshark    returns with all there and JAVA_HOME exported, or exits with 1
#
# JDK, Maven, QEMU, iproute2, DPDK, libpcap and tshark are installed as Debian packages. The guest's kernel and busybox are not installed
# at all: they are unpacked from their packages into the cache below, which takes no root. The machine's own apt
# configuration and package lists are read, never written. Everything is said on standard error.
# shellcheck shell=bash

cache=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/doorbell

declare -A purpose=(
    [jdk]='JDK 25: compiles and runs Doorbell'
    [maven]='Maven: builds Doorbell'
    [qemu]='QEMU 8.0 or newer: its igb and virtio-net models are the lab'
    [busybox]='busybox, static: starts the guest'
    [kernel]='a Linux kernel with VFIO and its modules: the guest'
    [ip]="ip, of iproute2: gives the host's ends of cables their addresses, in tests and benchmarks"
    [dpdk]='DPDK: its testpmd judges vhost-user, and is what nicctl bench compares with'
    [pcap]='libpcap: pcap4j, which nicctl bench compares with, calls it'
    [tshark]='tshark: judges in a test what QEMU recorded of the demo'
)
declare -A package=([jdk]=openjdk-25-jdk-headless [maven]=maven [qemu]=qemu-system-x86 [ip]=iproute2 [dpdk]=dpdk-dev
    [pcap]=libpcap0.8 [tshark]=tshark)
declare -A remedy=(
    [jdk]='unpack any build of OpenJDK 25 under /usr/lib/jvm, or set JAVA_HOME (Debian 13: openjdk-25-jdk-headless)'
    [maven]='install Maven 3.8 or newer (Debian: maven)'
    [qemu]='install qemu-system-x86_64 8.0 or newer (Debian 13: qemu-system-x86; Debian 12: that of bookworm-backports)'
    [busybox]="copy a statically linked busybox to $cache/busybox (Debian: busybox-static)"
    [kernel]="unpack a distribution's kernel: $cache/kernel/VERSION/vmlinuz and .../VERSION/lib/modules/VERSION (*.ko, depmod)"
    [ip]='install iproute2 (Debian: iproute2)'
    [dpdk]='install dpdk-testpmd 21.11 or newer (Debian: dpdk-dev)'
    [pcap]='install libpcap 1.10 or newer (Debian: libpcap0.8)'
    [tshark]='install tshark (Debian: tshark)'
)

# What the guest may load. What these modules depend on comes along.
guest_modules=(9p 9pnet_virtio overlay virtio_console          # its file tree and its command channel
    vfio-pci vfio_iommu_type1 uio_pci_generic                  # for drivers in user space
    igb igbvf e1000e virtio_net                                # for the other end of the wire
    8021q bridge dummy macvlan pktgen tun veth)

# Finds the command in a line of nicctl's, the NIC that it names with --nic, and whether all it wants is help. Options come
# in any order, and their values behind a space or an equals sign.
read_command() {
    local word previous=''
    command='' nic='' help=''
    for word; do
        case $word in
            -h | --help) help=yes ;;
            --nic=*) nic=${word#*=} ;;
            -*) ;;
            *) if [[ $previous == --nic ]]; then nic=$word; else command=${command:-$word}; fi ;;
        esac
        previous=$word
    done
}

# What the command needs besides Java.
tools_for_command() {
    [[ $help ]] && return
    case $command:$nic in
        demo: | demo:igb | demo:virtio | lab:*) echo qemu busybox kernel ;;
        bench:*) echo dpdk pcap ip qemu busybox kernel ;;
    esac
}

# Java has no way to name a folder with a colon in a class path.
refuse_colon() {
    [[ $1 != *:* ]] && return
    say "Java cannot run what is in a folder with a colon in its name, and this is in $1: move it to another one"
    exit 1
}

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }

set_up() {
    local tool missing=()
    for tool; do
        "have_$tool" || missing+=("$tool")
    done
    [[ ${#missing[@]} == 0 ]] && return
    can_install "${missing[@]}" || ask_for "${missing[@]}"
    (install_all "${missing[@]}") # a failure ends the launcher: both say set -e
    for tool in "${missing[@]}"; do
        "have_$tool" || ask_for "$tool"
    done
}

# ---- What is there. These run on every start, so they are quick.

have_jdk() {
    local home
    for home in "${JAVA_HOME:-}" /usr/lib/jvm/* "$(java_home_on_path)"; do
        if is_jdk "$home"; then
            export JAVA_HOME=$home
            return
        fi
    done
    return 1
}

is_jdk() {
    [[ -x $1/bin/javac && -r $1/release ]] || return
    local line
    while IFS= read -r line; do
        [[ $line =~ ^JAVA_VERSION=\"([0-9]+) ]] && ((BASH_REMATCH[1] >= 25)) && return
    done <"$1/release"
    return 1
}

java_home_on_path() {
    local java
    java=$(command -v java) && java=$(readlink -f "$java") && printf '%s' "${java%/bin/java}"
}

have_maven() { command -v mvn >/dev/null; }

have_qemu() { qemu-system-x86_64 -device igb,help >/dev/null 2>&1; }

have_ip() { command -v ip >/dev/null; }

have_dpdk() { command -v dpdk-testpmd >/dev/null; }

have_tshark() { command -v tshark >/dev/null; }

have_pcap() { compgen -G '/usr/lib*/libpcap.so*' || compgen -G '/usr/lib/x86_64-linux-gnu/libpcap.so*'; } >/dev/null

have_busybox() { [[ -x $cache/busybox ]]; }

have_kernel() {
    local image
    for image in "$cache"/kernel/*/vmlinuz; do
        [[ -e $image ]] || return
        index_for_kmod "${image%/vmlinuz}"
    done
}

# A guest sees this machine's programs. The lab has tools of its own; kmod's modprobe, for people who call it in the guest,
# finds modules by indices that only kmod's depmod writes. Without kmod here, there is none in the guest either.
index_for_kmod() {
    local version=${1##*/} depmod
    [[ -e $1/lib/modules/$version/modules.dep.bin ]] && return
    depmod=$(PATH=$PATH:/usr/sbin:/sbin command -v depmod) || return 0
    "$depmod" -b "$1" "$version" 2>/dev/null || true
}

# JDK 25 would warn of what nicctl's libraries do without these, and of what Maven's do.
java_options=(--enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow)

maven() { MAVEN_OPTS="${java_options[*]} ${MAVEN_OPTS:-}" mvn -B -ntp "$@"; }

# ---- What can be done about the rest.

can_install() {
    is_debian || return
    local tool
    for tool; do
        [[ -z ${package[$tool]:-} || $EUID == 0 ]] || return
    done
}

is_debian() {
    command -v apt-get >/dev/null && [[ $(debian ID) == debian && $(dpkg --print-architecture) == amd64 ]]
}

debian() { (. /etc/os-release && printf '%s' "${!1:-}"); }

ask_for() {
    local tool
    say 'this needs what is not here, and what this script can install only on Debian 12 or 13 (amd64) as root:'
    for tool; do
        printf '\n  %s\n      %s\n' "${purpose[$tool]}" "${remedy[$tool]}" >&2
    done
    exit 1
}

install_all() {
    export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8
    local tool
    scratch=$(mktemp -d)
    trap 'rm -rf "$scratch"' EXIT
    chmod 755 "$scratch" # apt downloads as a user of its own
    log=$(mktemp -t doorbell-setup-XXXXXX.log)

    use_private_apt
    step 'reading package lists (the machine'\''s own stay as they are)' apt get update
    for tool; do
        if [[ -n ${package[$tool]:-} ]]; then
            step "installing ${package[$tool]} (${purpose[$tool]})" install_package "${package[$tool]}"
        else
            step "unpacking ${purpose[$tool]}, into $cache" "unpack_$tool"
        fi
    done
    rm -f "$log"
}

# Says what it does, does it, and shows the end of the log if that fails.
step() {
    local what=$1 start=$SECONDS
    shift
    say "$what ..."
    # A child of its own, so that set -e holds inside although its status is asked for.
    (set -e && "$@") >>"$log" 2>&1 &
    if wait $!; then
        say "  done in $((SECONDS - start)) s"
    else
        say "  failed; the end of $log:"
        tail -n 15 "$log" | sed 's/^/    /' >&2
        exit 1
    fi
}

# An apt configuration of our own: the machine's sources, and on Debian 12, whose QEMU has no igb, backports besides.
use_private_apt() {
    local list parts file
    eval "$(apt-config shell list Dir::Etc::sourcelist/f parts Dir::Etc::sourceparts/d)"
    mkdir -p "$scratch"/{sources,lists/partial,cache/archives/partial,debs}
    for file in "$list" "$parts"*.list "$parts"*.sources; do
        [[ -f $file ]] && cp "$file" "$scratch/sources/"
    done
    apt_options=(
        -o Dir::Etc::SourceList=/dev/null -o "Dir::Etc::SourceParts=$scratch/sources"
        -o "Dir::State::Lists=$scratch/lists" -o "Dir::Cache=$scratch/cache"
        -o DPkg::Lock::Timeout=600 -o Dpkg::Use-Pty=0)
    chown -R _apt "$scratch/debs" 2>/dev/null || true

    suite=$(debian VERSION_CODENAME)
    if [[ $suite == bookworm ]] && ! grep -rqs "$suite-backports" "$scratch/sources"; then
        add_backports
    fi
}

apt() { "apt-$1" "${apt_options[@]}" "${@:2}"; }

# Wherever a source carries the suite, its backports are beside it, at the same address and under the same key.
add_backports() {
    local file
    for file in "$scratch"/sources/*; do
        case $file in
            *.sources)
                awk -v suite="$suite" '
                    BEGIN { RS = ""; FS = "\n" }
                    {
                        kept = ""; field = ""; carries = 0; binary = 0; enabled = 1
                        for (i = 1; i <= NF; i++) {
                            if ($i ~ /^#/) continue
                            if ($i !~ /^[ \t]/) field = tolower(substr($i, 1, index($i, ":") - 1))
                            values = " " $i " "
                            gsub(/[:\t]/, " ", values)
                            if (field == "suites" && index(values, " " suite " ")) carries = 1
                            if (field == "types" && index(values, " deb ")) binary = 1
                            if (field == "enabled" && tolower(values) ~ / no /) enabled = 0
                            if (field !~ /^(suites|types|components|enabled)$/) kept = kept $i "\n"
                        }
                        if (carries && binary && enabled)
                            printf "Types: deb\nSuites: %s-backports\nComponents: main\n%s\n", suite, kept
                    }' "$file" >"$file.derived"
                mv "$file.derived" "${file%.sources}-backports.sources.new"
                ;;
            *.list)
                sed -nE "s/^[[:space:]]*(deb([[:space:]]+\[[^]]*\])?[[:space:]]+[^[:space:]]+)[[:space:]]+$suite[[:space:]].*/\1 $suite-backports main/p" \
                    "$file" >"${file%.list}-backports.list.new"
                ;;
        esac
    done
    for file in "$scratch"/sources/*.new; do
        mv "$file" "${file%.new}"
    done
}

install_package() {
    local from=()
    [[ $1 == qemu-system-x86 && $suite == bookworm ]] && from=(-t bookworm-backports)
    apt get install -y --no-install-recommends "${from[@]}" "$1"
}

download() {
    cd "$scratch/debs"
    apt get download "$@"
    for deb in *.deb; do
        dpkg -x "$deb" "$scratch/unpacked"
        rm "$deb"
    done
}

unpack_busybox() {
    download busybox-static
    mkdir -p "$cache"
    # by a rename, so that nobody ever sees half of it
    mv "$(find "$scratch/unpacked" -type f -name busybox -perm /1)" "$cache/busybox.new"
    mv "$cache/busybox.new" "$cache/busybox"
}

# The newest kernel that the sources offer, of the plain flavour: the cloud one has neither igb nor 9p.
unpack_kernel() {
    local image version tree modules=$scratch/unpacked/lib/modules
    image=$(apt cache search --names-only '^linux-image-[0-9]' | cut -d' ' -f1 |
        grep -E '^linux-image-[0-9]+\.[0-9]+\.[0-9]+[^-]*(-[0-9]+)?-amd64(-unsigned)?$' | sort -V | tail -n 1)
    version=${image#linux-image-}
    version=${version%-unsigned}
    rm -rf "$scratch/unpacked"
    # From 7.x on, the kernel and its modules are packages of their own, on which the image depends.
    # shellcheck disable=SC2046
    download "$image" $(apt cache depends --recurse --important "$image" | grep -E '^linux-(binary|modules)-[0-9]' |
        grep -F "$version" | sort -u)

    [[ -d $modules ]] || modules=$scratch/unpacked/usr/lib/modules
    tree=$cache/kernel/.$version.$$
    mkdir -p "$tree"
    # Resolving dependencies means reading every module; these are half of them, and nothing that we want needs them.
    rm -rf "$modules/$version"/kernel/{sound,drivers/{comedi,gpu,hid,hwmon,iio,input,media,platform,scsi,usb}}
    busybox_depmod "${modules%/lib/modules}" "$version"
    copy_modules "$modules/$version" "$tree/lib/modules/$version"
    busybox_depmod "$tree" "$version"
    mv "$(compgen -G "$scratch/unpacked/boot/vmlinuz-*" || compgen -G "$modules/*/vmlinuz")" "$tree/vmlinuz"
    mv -T "$tree" "$cache/kernel/$version"
}

busybox_depmod() { "$cache/busybox" depmod -b "$1" "$2"; }

# Copies the guest's modules and what they depend on from tree $1 to tree $2, uncompressed.
copy_modules() {
    local name file
    mkdir -p "$2"
    cp "$1"/modules.{builtin,order} "$2"
    for name in "${guest_modules[@]}"; do
        name=${name//[-_]/[-_]}
        grep -E "/$name\.ko[^:]*:" "$1/modules.dep" | tr -d : | tr ' ' '\n' ||
            grep -E "/$name\.ko" "$1/modules.builtin" >&2
    done | sort -u | while read -r file; do
        install -D -m 644 "$1/$file" "$2/$file"
        case $file in
            *.ko) ;;
            *.ko.xz) "$cache/busybox" unxz "$2/$file" ;;
            *) echo "$file is compressed in a way that nothing here undoes" >&2 && return 1 ;;
        esac
    done
}
