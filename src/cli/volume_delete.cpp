#include <array>

#include "cli/cluster_access.h"
#include "cli/pool_verb.h"
#include "cli/volume.h"
#include "storage/replica/provisioning.h"

namespace sheaf::cli {

namespace {

constexpr auto options = std::to_array<Option>({
    pool_option,
    {"copy", "", "this pool's copy of a replicated volume, and nothing else of it"},
    kv_option,
    tls_cert_option,
    tls_key_option,
    tls_ca_option,
    insecure_option,
});
constexpr auto operands = std::to_array<Operand>({{"NAME", "which volume"}});

Result<void> remove_everywhere(const Arguments& arguments) {
    const auto cluster = TRY(parse_cluster_options(arguments));
    const auto loop = TRY(io::make_loop());
    auto work = [&arguments](ClusterAccess& access) {
        return replica::delete_replicated(access.store(), access.dialer(), arguments.operand(0));
    };
    return io::run(*loop, with_cluster(*loop, cluster, std::move(work)));
}

Result<void> remove(const Arguments& arguments) {
    if (arguments.has("kv")) return remove_everywhere(arguments);
    const auto pool = TRY(open_pool(arguments));
    const auto part = arguments.has("copy") ? pool::Part::copy : pool::Part::whole;
    const auto held =
        TRY(pool->hold(pool::Shelf::volumes, arguments.operand(0), "volume delete", part));
    return pool->remove(held, pool::Shelf::volumes);
}

int delete_main(std::span<char*> arguments) {
    return main_of(volume_delete_verb, arguments, remove);
}

}  // namespace

constinit const Verb volume_delete_verb = {
    .name = "volume delete",
    .summary = "delete a volume and what is on it",
    .options = options,
    .details =
        "One that is in use is refused. Clones of it stay whole. With --kv it is one that has\n"
        "copies on several hosts, and all of them go; where one cannot be reached the volume is\n"
        "gone, and deleting it again removes what is left. --copy is for a copy whose volume no\n"
        "store knows any more.",
    .example = "sheaf volume delete root",
    .main = delete_main,
    .operands = operands,
};

}  // namespace sheaf::cli
