#include "control/cloud_init.h"

#include <initializer_list>

#include "api/kinds.h"
#include "base/base64.h"
#include "control/iso_image.h"

namespace sheaf::control {

namespace {

// A member of the source as text, as base64, and as the name of a Secret, with the keys that the
// value may have in there.
struct Names {
    std::string_view text;
    std::string_view base64;
    std::string_view secret;
    std::initializer_list<std::string_view> keys;
};
constexpr std::initializer_list<std::string_view> user_keys = {"userdata", "userData"};
constexpr std::initializer_list<std::string_view> network_keys = {"networkdata", "networkData"};
constexpr Names user_names{"userData", "userDataBase64", "secretRef", user_keys};
constexpr Names network_names{"networkData", "networkDataBase64", "networkDataSecretRef",
                              network_keys};

Result<std::string> value_in(const Json& secret, const std::string& name, const Names& names) {
    for (const auto key : names.keys) {
        const auto* value = secret.at({"data", key});
        if (!value || !value->string()) continue;
        auto plain = from_base64(*value->string());
        if (!plain) return fail(Kind::invalid, "secret {}: {} is no base64", name, key);
        return *std::move(plain);
    }
    return fail(Kind::invalid, "secret {}: has no {}", name, *names.keys.begin());
}

io::Task<std::string> read(ObjectClient& client, std::string name_space, const Json& source,
                           Names names) {
    const auto* text = source.find(names.text);
    const auto* base64 = source.find(names.base64);
    const auto* secret = source.find(names.secret);
    if ((text ? 1 : 0) + (base64 ? 1 : 0) + (secret ? 1 : 0) > 1)
        co_await fail(Kind::invalid, "only one of {}, {} and {} may be there", names.text,
                      names.base64, names.secret);
    if (text) co_return *text->string();
    if (base64) {
        auto plain = from_base64(*base64->string());
        if (!plain) co_await fail(Kind::invalid, "{} is no base64", names.base64);
        co_return *std::move(plain);
    }
    if (!secret) co_return std::string{};
    const auto name = std::string{secret->text_at({"name"})};
    ObjectKey key{std::move(name_space), name};
    const auto object = co_await client.get(api::secret_kind, std::move(key));
    if (!object) co_await fail(Kind::not_found, "secret {} does not exist", name);
    co_return co_await value_in(*object, name, names);
}

}  // namespace

Result<std::string> make_seed(const CloudInit& wanted, WallClock::TimePoint made) {
    auto meta = Json::object({{"instance-id", wanted.instance_id}});
    if (!wanted.hostname.empty()) meta["local-hostname"] = wanted.hostname;
    if (!wanted.ssh_keys.empty()) {
        Json::Array keys;
        for (const auto& key : wanted.ssh_keys) keys.push_back(key);
        meta["public-keys"] = std::move(keys);
    }
    std::vector<IsoFile> files;
    files.push_back({"meta-data", meta.text() + "\n"});
    if (!wanted.network_data.empty()) files.push_back({"network-config", wanted.network_data});
    files.push_back({"user-data", wanted.user_data});
    return TRY_WITHIN(make_iso_image("cidata", files, made), "cloud-init");
}

io::Task<CloudInit> read_cloud_init(ObjectClient& client, std::string name_space, Json source) {
    CloudInit found;
    auto user = co_await read(client, name_space, source, user_names).result();
    if (!user) co_await Failure{Error{user.error()}.within("cloudInitNoCloud")};
    auto network = co_await read(client, std::move(name_space), source, network_names).result();
    if (!network) co_await Failure{Error{network.error()}.within("cloudInitNoCloud")};
    found.user_data = *std::move(user);
    found.network_data = *std::move(network);
    co_return found;
}

}  // namespace sheaf::control
