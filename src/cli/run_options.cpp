#include "cli/run_options.h"

#include <array>

#include "net/mac_address.h"
#include "node/firmware.h"
#include "storage/pool/name.h"
#include "storage/pool/pool.h"

namespace sheaf::cli {

namespace {

constexpr std::uint64_t cpu_limit = 254;  // local APIC identifiers of one byte
constexpr std::uint64_t memory_least = 2_MiB;
constexpr std::uint64_t memory_most = 16 * 1024_GiB;
constexpr std::uint64_t mtu_least = 68;  // RFC 791
constexpr std::uint64_t mtu_most = 65535;
constexpr std::uint64_t boot_order_most = 32;
constexpr std::uint64_t cid_least = 3;  // virtio 1.2, 5.10.4
constexpr std::uint64_t cid_most = 0xfffffffe;
constexpr std::size_t serial_limit = 20;  // virtio 1.2, 5.2.6.1

Result<node::DiskOption> parse_disk(const std::string& text) {
    constexpr auto keys = std::to_array<std::string_view>(
        {"path", "format", "readonly", "serial", "boot", "volume", "pool"});
    const auto properties = TRY(parse_properties(text, keys));
    auto disk = node::DiskOption{};
    if (const auto path = properties.find("path"); path != properties.end())
        disk.path = path->second;
    if (const auto name = properties.find("volume"); name != properties.end()) {
        TRY(pool::check_name("volume", name->second));
        disk.volume = name->second;
        const auto place = properties.find("pool");
        disk.pool = place == properties.end() ? pool::default_pool : place->second;
        for (const auto* other : {"path", "format", "readonly"})
            if (properties.contains(other))
                return fail(Kind::invalid, "{} does not go with volume in \"{}\"", other, text);
    } else if (properties.contains("pool")) {
        return fail(Kind::invalid, "pool goes with volume in \"{}\"", text);
    } else if (disk.path.empty()) {
        return fail(Kind::invalid, "\"{}\" names no path and no volume", text);
    }
    if (const auto format = properties.find("format"); format != properties.end()) {
        if (format->second != "raw")
            return fail(Kind::unsupported,
                        "format {} is not supported; make a volume of it with sheaf image import, "
                        "or convert it with qemu-img convert -O raw",
                        format->second);
        disk.raw = true;
    }
    if (const auto flag = properties.find("readonly"); flag != properties.end()) {
        if (!flag->second.empty() && flag->second != "on" && flag->second != "off")
            return fail(Kind::invalid, "readonly is \"on\" or \"off\", not \"{}\"", flag->second);
        disk.read_only = flag->second != "off";
    }
    if (const auto serial = properties.find("serial"); serial != properties.end())
        disk.serial = serial->second;
    if (disk.serial.size() > serial_limit)
        return fail(Kind::invalid, "serial \"{}\" is longer than {} bytes", disk.serial,
                    serial_limit);
    if (const auto boot = properties.find("boot"); boot != properties.end())
        disk.boot = static_cast<unsigned>(
            TRY_WITHIN(parse_number(boot->second, 1, boot_order_most), "boot"));
    return disk;
}

Result<node::NetOption> parse_net(const std::string& text) {
    constexpr auto keys = std::to_array<std::string_view>({"tap", "mac", "mtu"});
    const auto properties = TRY(parse_properties(text, keys));
    auto net = node::NetOption{};
    if (const auto tap = properties.find("tap"); tap != properties.end()) net.tap = tap->second;
    if (net.tap.empty()) return fail(Kind::invalid, "\"{}\" names no tap", text);
    if (const auto mac = properties.find("mac"); mac != properties.end()) {
        TRY(net::parse_mac_address(mac->second));
        net.mac = mac->second;
    }
    if (const auto mtu = properties.find("mtu"); mtu != properties.end())
        net.mtu = static_cast<std::uint16_t>(
            TRY_WITHIN(parse_number(mtu->second, mtu_least, mtu_most), "mtu"));
    return net;
}

// The guest's address, then properties.
Result<node::VsockOption> parse_vsock(const std::string& text) {
    constexpr auto keys = std::to_array<std::string_view>({"socket"});
    const auto comma = std::min(text.find(','), text.size());
    auto vsock = node::VsockOption{};
    vsock.cid = TRY_WITHIN(
        parse_number(std::string_view{text}.substr(0, comma), cid_least, cid_most), "CID");
    if (comma == text.size()) return fail(Kind::invalid, "\"{}\" names no socket", text);
    const auto rest = std::string_view{text}.substr(comma + 1);
    const auto properties = TRY(parse_properties(rest, keys));
    if (const auto socket = properties.find("socket"); socket != properties.end())
        vsock.socket = socket->second;
    if (vsock.socket.empty()) return fail(Kind::invalid, "\"{}\" names no socket", text);
    return vsock;
}

// unix:PATH[,wait]
Result<node::GdbOption> parse_gdb(std::string_view text) {
    constexpr std::string_view prefix = "unix:";
    if (!text.starts_with(prefix))
        return fail(Kind::invalid, "\"{}\" is not unix:PATH or unix:PATH,wait", text);
    const auto rest = text.substr(prefix.size());
    const auto comma = std::min(rest.find(','), rest.size());
    auto gdb = node::GdbOption{.socket = std::string{rest.substr(0, comma)},
                               .wait = rest.substr(comma) == ",wait"};
    if (gdb.socket.empty()) return fail(Kind::invalid, "\"{}\" names no socket", text);
    if (comma < rest.size() && !gdb.wait)
        return fail(Kind::invalid, "\"{}\" is not \"wait\"", rest.substr(comma + 1));
    return gdb;
}

Result<std::optional<std::string>> optional_path(const Arguments& arguments,
                                                 std::string_view name) {
    if (!arguments.has(name)) return std::nullopt;
    auto path = TRY(arguments.one(name));
    if (path.empty()) return fail(Kind::invalid, "--{} is empty", name);
    return path;
}

Result<node::OnReboot> parse_on_reboot(const std::string& word) {
    if (word == "restart") return node::OnReboot::restart;
    if (word == "exit") return node::OnReboot::exit;
    return fail(Kind::invalid, "--on-reboot is \"restart\" or \"exit\", not \"{}\"", word);
}

// What starts the machine: a kernel with its initrd and command line, or firmware.
Result<void> parse_start(const Arguments& arguments, node::RunOptions& options) {
    if (!arguments.has("kernel")) {
        for (const auto* name : {"initrd", "cmdline"})
            if (arguments.has(name)) return fail(Kind::invalid, "--{} goes with --kernel", name);
        options.firmware = TRY(arguments.one("firmware", node::uefi));
        if (options.firmware.empty()) return fail(Kind::invalid, "--firmware is empty");
        return {};
    }
    if (arguments.has("firmware"))
        return fail(Kind::invalid, "--kernel and --firmware exclude each other");
    options.kernel = TRY(arguments.one("kernel"));
    if (options.kernel.empty()) return fail(Kind::invalid, "--kernel is empty");
    options.initrd = TRY(optional_path(arguments, "initrd"));
    options.command_line = TRY(arguments.one("cmdline", options.command_line));
    return {};
}

Result<std::uint64_t> parse_memory(const std::string& word) {
    const auto size = TRY(parse_size(word));
    if (size < memory_least || size > memory_most)
        return fail(Kind::invalid, "{} is not between 2M and 16T", word);
    if (size % 4_KiB != 0) return fail(Kind::invalid, "{} is not a multiple of 4K", word);
    return size;
}

}  // namespace

Result<node::RunOptions> parse_run_options(const Arguments& arguments) {
    auto options = node::RunOptions{};
    TRY(parse_start(arguments, options));
    options.cpus = static_cast<unsigned>(
        TRY_WITHIN(parse_number(TRY(arguments.one("cpus", "1")), 1, cpu_limit), "--cpus"));
    if (options.firmware == node::uefi && options.cpus > node::uefi_most_cpus)
        return fail(Kind::invalid, "--cpus: UEFI starts at most {}, not {}", node::uefi_most_cpus,
                    options.cpus);
    options.memory = TRY_WITHIN(parse_memory(TRY(arguments.one("memory", "512M"))), "--memory");
    for (const auto& text : arguments.all("disk"))
        options.disks.push_back(TRY_WITHIN(parse_disk(text), "--disk"));
    for (const auto& path : arguments.all("cdrom")) {
        if (path.empty()) return fail(Kind::invalid, "--cdrom is empty");
        auto disk = node::DiskOption{};
        disk.path = path;
        disk.read_only = true;
        options.disks.push_back(std::move(disk));
    }
    for (const auto& text : arguments.all("net"))
        options.nets.push_back(TRY_WITHIN(parse_net(text), "--net"));
    options.balloon = arguments.has("balloon");
    if (arguments.has("vsock"))
        options.vsock = TRY_WITHIN(parse_vsock(TRY(arguments.one("vsock"))), "--vsock");
    if (arguments.has("gdb"))
        options.gdb = TRY_WITHIN(parse_gdb(TRY(arguments.one("gdb"))), "--gdb");
    options.console = TRY(arguments.one("console", options.console));
    if (options.console.empty()) return fail(Kind::invalid, "--console is empty");
    options.on_reboot = TRY(parse_on_reboot(TRY(arguments.one("on-reboot", "restart"))));
    options.pid_file = TRY(optional_path(arguments, "pid-file"));
    options.report = TRY(optional_path(arguments, "report"));
    options.grace = std::chrono::seconds{
        TRY_WITHIN(parse_number(TRY(arguments.one("grace", "60")), 0, 86400), "--grace")};
    return options;
}

}  // namespace sheaf::cli
