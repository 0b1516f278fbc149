//! Names in the style of the city: roads, landmarks, districts.

/// Stems of avenue names.
const AVENUES: [&str; 24] = [
    "中华",
    "北京",
    "延安",
    "瑞金",
    "宝山",
    "遵义",
    "贵阳",
    "林城",
    "观山",
    "金阳",
    "长岭",
    "花溪",
    "甲秀",
    "黔灵",
    "云潭",
    "兴筑",
    "诚信",
    "数博",
    "阳关",
    "西二环",
    "水东",
    "航天",
    "开发",
    "清溪",
];
/// First characters of street names.
const FIRST: [&str; 24] = [
    "文", "武", "富", "新", "永", "兴", "和", "安", "太", "青", "南", "云", "金", "玉", "白", "龙", "凤", "松", "花",
    "都", "醒", "护", "省", "市",
];
/// Second characters of street names.
const SECOND: [&str; 24] = [
    "昌", "岳", "水", "华", "乐", "隆", "平", "顺", "慈", "云", "明", "岩", "关", "田", "井", "泉", "桥", "坡", "冲",
    "果", "狮", "国", "府", "司",
];

/// Name of the avenue with a number.
pub(crate) fn avenue(number: usize) -> String {
    let round = number / AVENUES.len();
    let part = ["", "南", "北", "东", "西"][round % 5];
    format!("{}{part}大道", AVENUES[number % AVENUES.len()])
}

/// Name of the road with a number; all differ below 576.
pub(crate) fn road(number: usize) -> String {
    format!("{}路", stem(number))
}

/// Name of the street with a number; all differ below 576.
pub(crate) fn street(number: usize) -> String {
    format!("{}街", stem(number))
}

/// Two characters that name a place; 576 differ.
pub(crate) fn stem(number: usize) -> String {
    // 7 and 24 share no factor: neighbours in number differ in both characters.
    let first = (number * 7 + number / 24) % 24;
    format!("{}{}", FIRST[first], SECOND[number % 24])
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    #[test]
    fn names_do_not_repeat() {
        let stems: BTreeSet<String> = (0..576).map(super::stem).collect();
        assert_eq!(stems.len(), 576);
        let avenues: BTreeSet<String> = (0..120).map(super::avenue).collect();
        assert_eq!(avenues.len(), 120);
    }
}
