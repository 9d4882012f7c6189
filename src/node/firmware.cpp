#include "node/firmware.h"

#include <cstdlib>
#include <filesystem>
#include <vector>

namespace sheaf::node {

namespace {

namespace fs = std::filesystem;

std::string environment(const char* name) {
    const auto* value = std::getenv(name);
    return value ? value : "";
}

std::vector<fs::path> places() {
    auto found = std::vector<fs::path>{};
    auto error = std::error_code{};
    const auto binary = fs::read_symlink("/proc/self/exe", error);
    if (!error) found.push_back(binary.parent_path().parent_path() / "share/sheaf/uefi.fd");
    found.emplace_back("/usr/share/sheaf/uefi.fd");
    if (const auto cache = environment("SHEAF_CACHE"); !cache.empty())
        found.push_back(fs::path{cache} / "uefi.fd");
    if (const auto cache = environment("XDG_CACHE_HOME"); !cache.empty())
        found.push_back(fs::path{cache} / "sheaf/uefi.fd");
    if (const auto home = environment("HOME"); !home.empty())
        found.push_back(fs::path{home} / ".cache/sheaf/uefi.fd");
    return found;
}

}  // namespace

Result<std::string> find_firmware(const std::string& wanted) {
    if (wanted != uefi) return wanted;
    // Whoever names a file means that one, also where it is missing.
    if (auto named = environment("SHEAF_UEFI"); !named.empty()) return named;
    for (const auto& place : places()) {
        auto error = std::error_code{};
        if (fs::exists(place, error)) return place.string();
    }
    return fail(Kind::not_found,
                "no UEFI firmware is installed; build it with firmware/uefi/build, or name a file "
                "with --firmware FILE");
}

}  // namespace sheaf::node
