//! Where built-in figures come from, and how sure they are: the columns `source` and `confidence` of the tables of data.
//!
//! The tables keep them in English; a reader of Chinese is told them in Chinese. A test holds every row that a report can
//! print to having its Chinese here.

use super::Table;

/// Sources, then the words for how sure a row is.
pub(super) const SOURCES: Table = &[
    (
        "Beijing News (新京报) of 2024-12-27 on the announcement of 2022, which prints both years",
        "《新京报》2024-12-27 对 2022 年因子公告的报道（载有两年数据）",
    ),
    (
        "Beijing News (新京报) of 2024-12-27 on the announcement of 2022",
        "《新京报》2024-12-27 对 2022 年因子公告的报道",
    ),
    ("China Electric Power News on the 2023 announcement", "《中国电力报》对 2023 年因子公告的报道"),
    (
        "Guangming Daily on the 2023 announcement, which prints both years",
        "《光明日报》对 2023 年因子公告的报道（载有两年数据）",
    ),
    (
        "Guangming Daily on the 2023 announcement; its change against 2022 agrees with the row above",
        "《光明日报》对 2023 年因子公告的报道，较 2022 年的变化与上一行相符",
    ),
    (
        "MEE and NBS announcement 2024 no. 12, read from a public source-code table",
        "生态环境部、国家统计局公告 2024 年第 12 号，取自公开源代码中的数据表",
    ),
    ("MEE and NBS announcement 2024 no. 12", "生态环境部、国家统计局公告 2024 年第 12 号"),
    (
        "MEE and NBS announcement of 2024-12-20, read from a public source-code table",
        "生态环境部、国家统计局 2024-12-20 公告，取自公开源代码中的数据表",
    ),
    ("announcement of 2025-01-17 (footprint factor, CO2e)", "2025-01-17 公告（碳足迹因子，CO2e）"),
    ("GB 40879-2021, value from memory", "GB 40879-2021，数值未核对原文"),
    ("GB 40879-2021; fits notice {}", "GB 40879-2021，与 {} 相符"),
    (
        "NDRC hub approval text (below, not equal); day from memory",
        "国家发展改革委枢纽节点批复（须低于该值，不含），日期未核对原文",
    ),
    ("NDRC hub approval text; day from memory", "国家发展改革委枢纽节点批复，日期未核对原文"),
    ("NDRC hub approval texts; day from memory", "国家发展改革委各枢纽节点批复，日期未核对原文"),
    ("NDRC hub approval, value from memory", "国家发展改革委枢纽节点批复，数值未核对原文"),
    (
        "action plan for green data centres, July 2024, press",
        "数据中心绿色低碳发展专项行动计划（2024 年 7 月），据新闻报道",
    ),
    (
        "plan for data centres and 5G of 2021-12, two press copies",
        "数据中心和 5G 等新型基础设施绿色高质量发展实施方案（2021 年 12 月），据两份新闻转载",
    ),
    ("{} by zfree.org and sorodups summaries", "{}，据 zfree.org 与 sorodups 的摘要"),
    ("{}; the summary prints 2023 where 2030 is meant", "{}，摘要将 2030 误印为 2023"),
    (
        "IDC China and China Electronics Cloud, White Paper on Digital Government, {}, section {}",
        "IDC 中国、中国电子云《中国数字政府建设与发展白皮书》，{} 年，{} 节",
    ),
    ("the same, case Ganzi ({} %)", "同上，甘孜案例（{}%）"),
    ("{}, press", "{}，据新闻报道"),
    ("certain", "读自原文"),
    ("secondary", "转引"),
    ("derived", "推算"),
    ("memory", "未核对原文"),
    ("unverified", "未核实"),
];
