// The classifier of an exported page in Node: `node web.js PAGE TEXTS.json` prints what it says of the texts.
const fs = require("fs");
const page = fs.readFileSync(process.argv[2], "utf8");
const texts = JSON.parse(fs.readFileSync(process.argv[3], "utf8"));
const script = page.match(/<script id="classifier">([^]*?)<\/script>/)[1];
const [readModel, classify] = new Function(script + "; return [readModel, classify];")();
const EXPLAINED = 200; // texts whose effects are printed, too

readModel(page.match(/id="model">([^<]*)</)[1]).then((model) => {
  const begin = process.cpuUsage(), effects = [];
  const probabilities = texts.map((text, number) => {
    const found = classify(model, text);
    if (number < EXPLAINED) effects.push([...found.effects]);
    return found.probability;
  });
  const { user, system } = process.cpuUsage(begin);
  console.log(JSON.stringify({ probabilities, effects, seconds: (user + system) / 1e6 }));
});
