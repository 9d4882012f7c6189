// What /metrics says, by the grammar of its format.

#include "api/service_metrics.h"

#include <regex>
#include <set>

#include "api/measured_kv.h"
#include "world.h"

namespace sheaf::api {
namespace {

using Metrics = ApiWorld;

// Every line is a sample of a family that was announced, and none comes twice.
void check_text(const std::string& text) {
    const std::string label = R"re([a-zA-Z_][a-zA-Z0-9_]*="([^"\\]|\\.)*")re";
    const std::regex sample{fmt::format(
        R"re(([a-zA-Z_:][a-zA-Z0-9_:]*)(\{{{0}(,{0})*\}})? ([-+0-9.eE]+|NaN|[-+]Inf))re", label)};
    const std::regex announced{R"(# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+))"};
    std::set<std::string> families;
    std::set<std::string> seen;
    std::smatch match;
    ASSERT_TRUE(text.ends_with('\n'));
    std::istringstream lines{text};
    for (std::string line; std::getline(lines, line);) {
        if (std::regex_match(line, match, announced)) {
            if (match[1] == "TYPE") {
                EXPECT_TRUE(families.insert(match[2]).second) << line;
            }
            continue;
        }
        ASSERT_TRUE(std::regex_match(line, match, sample)) << line;
        const auto family =
            std::regex_replace(match[1].str(), std::regex{"_(bucket|sum|count)$"}, "");
        EXPECT_TRUE(families.contains(match[1]) || families.contains(family)) << line;
        EXPECT_TRUE(seen.insert(line.substr(0, line.rfind(' '))).second) << line;
    }
}

TEST_F(Metrics, CountWhatIsAskedAndAnswered) {
    ask("GET", "/apis/sheaf.io/v1/volumes");
    ask("GET", "/apis/sheaf.io/v1/volumes");
    ask("GET", "/apis/sheaf.io/v1/namespaces/default/volumes/none");
    ask("BREW", "/apis/sheaf.io/v1/volumes");
    ask("GET", "/healthz");
    const auto said = ask("GET", "/metrics");
    EXPECT_EQ(said.status, 200u);
    check_text(said.text);
    for (const auto* line :
         {"sheaf_api_requests_total{code=\"200\",verb=\"list\"} 2\n",
          "sheaf_api_requests_total{code=\"404\",verb=\"get\"} 1\n",
          "sheaf_api_requests_total{code=\"405\",verb=\"other\"} 1\n",
          "sheaf_api_request_duration_seconds_count{verb=\"list\"} 2\n", "sheaf_api_watches 0\n",
          "process_cpu_seconds_total ", "process_resident_memory_bytes ", "process_open_fds ",
          "process_start_time_seconds "})
        EXPECT_NE(said.text.find(line), std::string::npos) << line;
}

TEST_F(Metrics, TellHowLongTheStoreTakes) {
    MeasuredKv measured{*loop_, kv_, registry_};
    EXPECT_TRUE(io::run(*loop_, measured.get("a")));
    kv::Transaction impossible{{{"a", 7}}, {}};
    EXPECT_FALSE(io::run(*loop_, measured.commit(std::move(impossible))));
    const std::vector<http::Header> accept{{"Accept", "text/plain"}};
    const auto text = ask("GET", "/metrics", {}, accept).text;
    check_text(text);
    for (const auto* line : {"sheaf_store_duration_seconds_count{operation=\"get\"} 1\n",
                             "sheaf_store_duration_seconds_count{operation=\"list\"} 0\n",
                             "sheaf_store_duration_seconds_count{operation=\"commit\"} 1\n"})
        EXPECT_NE(text.find(line), std::string::npos) << line;
}

TEST_F(Metrics, AreNotForEverybody) {
    peer_ = {};
    EXPECT_EQ(ask("GET", "/metrics").status, 401u);
    peer_ = {{}, io::TlsSubject{"eve", {"system:readers"}}};
    EXPECT_EQ(ask("GET", "/metrics").status, 200u);
    peer_ = {{}, io::TlsSubject{"eve", {}}};
    const auto refused = ask("GET", "/metrics");
    EXPECT_EQ(refused.status, 403u);
    EXPECT_EQ(refused.body.text_at({"reason"}), "Forbidden");
}

}  // namespace
}  // namespace sheaf::api
