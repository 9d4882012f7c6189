#include <array>

#include "cli/cluster_access.h"
#include "cli/errand.h"
#include "cli/replicated_options.h"
#include "cli/volume.h"
#include "storage/pool/clone.h"
#include "storage/pool/name.h"

namespace sheaf::cli {

namespace {

constexpr auto options = std::to_array<Option>({
    {"size", "SIZE", "what a guest sees, for example 10G; at most 16T"},
    {"from", "IMAGE|VOLUME@SNAPSHOT", "what it begins as, sharing what stays the same"},
    {"checksum", "on|off", "whether every block is checked when it is read (default: on)"},
    pool_option,
    {"nodes", "NODE=ADDRESS,...", "the hosts that keep a copy each, and where they serve it"},
    {"replicas", "N", "how many copies that are"},
    {"minimum", "N", "how many have to be in sync (default: a majority; of two, one)"},
    kv_option,
    tls_cert_option,
    tls_key_option,
    tls_ca_option,
    insecure_option,
});
constexpr auto operands = std::to_array<Operand>({{"NAME", "what it is to be called"}});

Result<volume::Checksums> parse_checksum(const std::string& word) {
    if (word == "on") return volume::Checksums::on;
    if (word == "off") return volume::Checksums::off;
    return fail(Kind::invalid, "--checksum is \"on\" or \"off\", not \"{}\"", word);
}

Result<std::optional<pool::Origin>> parse_origin(const Arguments& arguments) {
    if (!arguments.has("from")) return std::nullopt;
    const auto word = TRY(arguments.one("from"));
    const auto of_volume = word.contains('@');
    auto parsed = TRY(parse_name_and_snapshot(of_volume ? "volume" : "image", word));
    return pool::Origin{of_volume ? pool::Shelf::volumes : pool::Shelf::images,
                        std::move(parsed.name), std::move(parsed.snapshot)};
}

Result<void> create_on_nodes(const Arguments& arguments) {
    for (const auto* option : {"from", "checksum", "pool"})
        if (arguments.has(option))
            return fail(Kind::unsupported, "--{} is not for a volume with copies on several hosts",
                        option);
    auto wanted = TRY(parse_copies(arguments));
    wanted.name = arguments.operand(0);
    TRY(pool::check_name("volume", wanted.name));
    if (!arguments.has("size")) return fail(Kind::invalid, "--size is missing");
    wanted.size = TRY_WITHIN(parse_volume_size(TRY(arguments.one("size"))), "--size");
    const auto cluster = TRY(parse_cluster_options(arguments));
    const auto loop = TRY(io::make_loop());
    auto work = [&wanted](ClusterAccess& access) {
        return replica::create_replicated(access.store(), access.dialer(), std::move(wanted));
    };
    return io::run(*loop, with_cluster(*loop, cluster, std::move(work)));
}

// Everything a person may have got wrong is looked at before a pool is made.
Result<void> create(const Arguments& arguments) {
    for (const auto* option : {"kv", "nodes", "replicas", "minimum"})
        if (arguments.has(option)) return create_on_nodes(arguments);
    pool::NewVolume wanted;
    wanted.name = arguments.operand(0);
    TRY(pool::check_name("volume", wanted.name));
    const auto origin = TRY_WITHIN(parse_origin(arguments), "--from");
    if (arguments.has("size"))
        wanted.size = TRY_WITHIN(parse_volume_size(TRY(arguments.one("size"))), "--size");
    if (wanted.size == 0 && !origin) return fail(Kind::invalid, "--size is missing");
    wanted.checksums = TRY(parse_checksum(TRY(arguments.one("checksum", "on"))));
    const auto pool = TRY(pool::Pool::open_or_make(TRY(pool_path(arguments))));
    const auto loop = TRY(io::make_loop());
    if (origin) return io::run(*loop, pool::create_clone(*loop, *pool, std::move(wanted), *origin));
    return io::run(*loop, pool::create_volume(*loop, *pool, std::move(wanted)));
}

int create_main(std::span<char*> arguments) {
    return main_of(volume_create_verb, arguments, create);
}

}  // namespace

constinit const Verb volume_create_verb = {
    .name = "volume create",
    .summary = "make a new volume",
    .options = options,
    .details =
        "It takes no space until it is written. The pool is made where there is none, if the\n"
        "directory above it exists. Nothing is left where it fails. With --from it has the size "
        "of\n"
        "what it begins as, or a larger one; image, volume or snapshot may be deleted later.\n"
        "With --nodes each of those hosts (replica serve) keeps a copy. All of them have what was\n"
        "written; one that is lost is left behind, and taken in again when it is back.",
    .example =
        "sheaf volume create root --size 10G --pool /srv/pool\n"
        "  sheaf volume create web1 --from root@installed --pool /srv/pool\n"
        "  sheaf volume create web --size 10G --nodes "
        "a=10.0.0.1:7000,b=10.0.0.2:7000,c=10.0.0.3:7000\n"
        "      --kv etcd:https://10.0.0.9:2379 --tls-cert a.pem --tls-key a.key --tls-ca ca.pem",
    .main = create_main,
    .operands = operands,
};

}  // namespace sheaf::cli
