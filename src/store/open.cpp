#include "store/open.h"

#include "base/json_path.h"
#include "store/etcd_kv.h"
#include "store/sqlite_kv.h"

namespace sheaf::kv {

namespace {

constexpr std::string_view sqlite_word = "sqlite:";
constexpr std::string_view etcd_word = "etcd:";

Result<std::vector<http::Url>> parse_urls(std::string_view list) {
    std::vector<http::Url> urls;
    while (true) {
        const auto comma = std::min(list.find(','), list.size());
        urls.push_back(TRY(http::parse_url(list.substr(0, comma))));
        if (comma == list.size()) return urls;
        list.remove_prefix(comma + 1);
    }
}

Result<std::unique_ptr<EtcdKv>> open_etcd(io::Loop& loop, const StoreLocation& location) {
    const auto list = std::string_view{location.text}.substr(etcd_word.size());
    EtcdOptions options;
    options.urls = TRY_WITHIN(parse_urls(list), "store etcd");
    options.tls = location.tls;
    return EtcdKv::create(loop, std::move(options));
}

}  // namespace

io::Task<std::unique_ptr<Kv>> open_store(io::Loop& loop, StoreLocation location) {
    if (location.text.starts_with(etcd_word)) co_return co_await open_etcd(loop, location);
    const auto file = location.text.substr(std::min(sqlite_word.size(), location.text.size()));
    if (!location.text.starts_with(sqlite_word) || file.empty())
        co_await fail(Kind::invalid, "store {}: is neither sqlite:FILE nor etcd:URL[,URL]...",
                      json::in_quotes(location.text));
    co_return co_await SqliteKv::open(loop, file);
}

}  // namespace sheaf::kv
